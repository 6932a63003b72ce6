#!/usr/bin/env python3
"""ADBench's objectives in JAX and PyTorch, float64: values to compare with, and times.

    adbench_reference.py values OBJECTIVE FILE [--complicated] [--replicate]
        prints the JSON object that `chainrule-bench adbench OBJECTIVE FILE --json` prints
    adbench_reference.py compare BENCH OBJECTIVE FILE [--complicated] [--replicate]
        runs the program BENCH and prints its greatest relative errors against JAX
    adbench_reference.py time BENCH OBJECTIVE FILE [--complicated] [--replicate] [--rounds N] [--seconds S] [--threads N]
        times Chainrule, jitted JAX and PyTorch one after the other, several rounds, and prints the medians

It needs jax, torch and numpy. The objectives are written plainly from the benchmark's paper, loop by loop where it loops, and
share nothing with Chainrule's, so that an error of understanding would show.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np


# ---- files ------------------------------------------------------------------------------------------------------------

def read_gmm(path, replicate):
    words = iter(pathlib.Path(path).read_text().split())
    d, k, n = (int(next(words)) for _ in range(3))
    rest = [float(word) for word in words]
    factor = d * (d + 1) // 2
    cut = np.cumsum([k, k * d, k * factor])
    alphas, means, icf, tail = np.split(np.array(rest), cut)
    x, prior = tail[:-2], tail[-2:]
    if replicate or len(x) == d:
        x = np.tile(x, n)
    return dict(alphas=alphas, means=means.reshape(k, d), icf=icf.reshape(k, factor), x=x.reshape(n, d),
                gamma=float(prior[0]), m=int(prior[1]))


def read_lstm(path):
    words = pathlib.Path(path).read_text().split()
    layers, length, width = map(int, words[:3])
    cut = np.cumsum([8 * layers * width, 3 * width, 2 * layers * width])
    main, extra, state, sequence = np.split(np.array([float(word) for word in words[3:]]), cut)
    return dict(main=main.reshape(layers, 2, 4, width), extra=extra.reshape(3, width),
                state=state.reshape(layers, 2, width), sequence=sequence.reshape(length, width))


def read_ba(path):
    words = pathlib.Path(path).read_text().split()
    n, m, p = map(int, words[:3])
    camera, point, weight, feature = np.split(np.array([float(word) for word in words[3:]]), [11, 14, 15])
    return dict(cameras=np.tile(camera, (n, 1)), points=np.tile(point, (m, 1)), weights=np.tile(weight, p),
                features=np.tile(feature, (p, 1)), camera_of=np.arange(p) % n, point_of=np.arange(p) % m)


def read_hand(path, complicated):
    path = pathlib.Path(path)
    lines = lambda name: (path.parent / "hand_model" / name).read_text().split()
    bones = [line.split(":") for line in lines("bones.txt")]
    numbers = np.array([[float(word) for word in bone[2:]] for bone in bones])
    triangles = np.array([[int(word) for word in line.split(":")] for line in lines("triangles.txt")])
    vertices = [line.split(":") for line in lines("vertices.txt")]
    positions = np.array([[float(word) for word in vertex[:3]] + [1.0] for vertex in vertices])
    weights = np.zeros((len(bones), len(vertices)))
    for i, vertex in enumerate(vertices):
        for j in range(int(vertex[8])):
            weights[int(vertex[9 + 2 * j]), i] = float(vertex[10 + 2 * j])
    words = path.read_text().split()
    count = int(words[0])
    rows = np.array([float(word) for word in words[2:2 + 4 * count]]).reshape(count, 4)
    rest = np.array([float(word) for word in words[2 + 4 * count:]])
    us, theta = (rest[:2 * count].reshape(count, 2), rest[2 * count:]) if complicated else (None, rest)
    return dict(parents=[int(bone[1]) for bone in bones], relative=numbers[:, :16].reshape(-1, 4, 4),
                inverse=numbers[:, 16:].reshape(-1, 4, 4), positions=positions, weights=weights, triangles=triangles,
                correspondences=rows[:, 0].astype(int), measured=rows[:, 1:], us=us, theta=theta)


# ---- objectives, over a namespace xp that is jax.numpy or torch ---------------------------------------------------------

def log_multivariate_gamma(a, d):
    return 0.25 * d * (d - 1) * math.log(math.pi) + sum(math.lgamma(a + 0.5 * (1 - j)) for j in range(1, d + 1))


def gmm_objective(xp, data, factor_places, alphas, means, icf):
    """factor_places: (rows, columns) of the entries below the diagonal, column by column."""
    k, d = means.shape
    n = data["x"].shape[0]
    diagonal = xp.exp(icf[:, :d])
    sums = icf[:, :d].sum(1)
    factors = set_entries(xp, (k, d, d), [(range(d), range(d), diagonal), (*factor_places, icf[:, d:])])
    centred = data["x"][:, None, :] - means[None]
    products = xp.einsum("kij,nkj->nki", factors, centred)
    terms = alphas + sums - 0.5 * (products ** 2).sum(-1)
    lse = (lambda x, axis: xp.logsumexp(x, axis)) if xp.__name__ == "torch" else __import__("jax").scipy.special.logsumexp
    likelihood = lse(terms, 1).sum() - n * lse(alphas, 0)
    gamma, m = data["gamma"], data["m"]
    freedom = d + m + 1
    normaliser = freedom * d * (math.log(gamma) - 0.5 * math.log(2)) - log_multivariate_gamma(0.5 * freedom, d)
    prior = 0.5 * gamma ** 2 * ((diagonal ** 2).sum() + (icf[:, d:] ** 2).sum()) - m * sums.sum() - k * normaliser
    return -0.5 * n * d * math.log(2 * math.pi) + likelihood + prior


def set_entries(xp, shape, entries):
    if xp.__name__ == "torch":
        result = xp.zeros(shape, dtype=xp.float64)
        for rows, columns, values in entries:
            result[:, list(rows), list(columns)] = values
        return result
    result = xp.zeros(shape)
    for rows, columns, values in entries:
        result = result.at[:, np.array(rows, int), np.array(columns, int)].set(values)
    return result


def lstm_step(xp, sigmoid, main, extra, states, x):
    """One character through all layers: the prediction and the new (hidden, cell) of each layer."""
    x = x * extra[0]
    new = []
    for layer in range(main.shape[0]):
        (wf, wi, wo, wc), (bf, bi, bo, bc) = main[layer, 0], main[layer, 1]
        hidden, cell = states[layer]
        cell = cell * sigmoid(x * wf + bf) + sigmoid(hidden * wi + bi) * xp.tanh(hidden * wc + bc)
        hidden = sigmoid(x * wo + bo) * xp.tanh(cell)
        new.append((hidden, cell))
        x = hidden
    return x * extra[1] + extra[2], new


def rotated(xp, r, v, columns):
    """Rodrigues' rotation of v by r, both (3, ...)."""
    square = (r * r).sum(0)
    zero = square == 0
    theta = xp.sqrt(xp.where(zero, 1.0, square))
    w = r / theta
    cross = lambda a, b: columns([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
    turned = v * xp.cos(theta) + cross(w, v) * xp.sin(theta) + w * (w * v).sum(0) * (1 - xp.cos(theta))
    return xp.where(zero, v + cross(r, v), turned)


def ba_errors(xp, columns, camera, point, weight, feature):
    """The two errors of observations: camera (11, ...), point (3, ...), weight (...), feature (2, ...)."""
    x = rotated(xp, camera[:3], point - camera[3:6], columns)
    plane = x[:2] / x[2]
    square = (plane * plane).sum(0)
    plane = plane * (1 + camera[9] * square + camera[10] * square ** 2)
    return weight * (plane * camera[6] + camera[7:9] - feature)


def hand_errors(xp, stack, data, theta, us):
    """Errors (points, 3): the measured points less the posed hand's."""
    one, zero = xp.ones_like(theta[0]), xp.zeros_like(theta[0])
    matrix = lambda rows: stack([stack(row) for row in rows])
    angles = {}
    for finger in range(5):
        first = 6 + 4 * finger
        bone = 2 + 4 * finger
        angles[bone] = (theta[first], theta[first + 1])
        angles[bone + 1] = (theta[first + 2], zero)
        angles[bone + 2] = (theta[first + 3], zero)
    absolute = []
    for bone, parent in enumerate(data["parents"]):
        tx, tz = angles.get(bone, (zero, zero))
        cx, sx, cz, sz = xp.cos(tx), xp.sin(tx), xp.cos(tz), xp.sin(tz)
        turn_z = matrix([[cz, -sz, zero, zero], [sz, cz, zero, zero], [zero, zero, one, zero], [zero, zero, zero, one]])
        turn_x = matrix([[one, zero, zero, zero], [zero, cx, -sx, zero], [zero, sx, cx, zero], [zero, zero, zero, one]])
        relative = data["relative"][bone] @ turn_z @ turn_x
        absolute.append(relative if parent < 0 else absolute[parent] @ relative)
    transforms = stack(absolute) @ data["inverse"]
    moved = xp.einsum("bij,vj->bvi", transforms, data["positions"])[..., :3]
    positions = (moved * data["weights"][:, :, None]).sum(0)

    square = (theta[:3] ** 2).sum()
    still = xp.sqrt(square) < 1e-4
    norm = xp.sqrt(xp.where(still, one, square))
    x, y, z = theta[0] / norm, theta[1] / norm, theta[2] / norm
    s, c = xp.sin(norm), xp.cos(norm)
    turned = matrix([[x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
                     [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
                     [x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c]])
    rotation = xp.where(still, matrix([[one, zero, zero], [zero, one, zero], [zero, zero, one]]), turned)
    positions = positions @ rotation.T + theta[3:6]
    if us is None:
        return data["measured"] - positions[data["correspondences"]]
    corners = data["triangles"][data["correspondences"]]
    u, v = us[:, :1], us[:, 1:]
    surface = u * positions[corners[:, 0]] + v * positions[corners[:, 1]] + (1 - u - v) * positions[corners[:, 2]]
    return data["measured"] - surface


# ---- JAX ---------------------------------------------------------------------------------------------------------------

def jax_program(objective, data):
    """Two functions without arguments, objective and derivative; each computes its numbers and waits for them."""
    import jax
    import jax.numpy as jnp
    jax.config.update("jax_enable_x64", True)
    constant = {key: jnp.asarray(value) if isinstance(value, np.ndarray) else value for key, value in data.items()}

    if objective == "gmm":
        arguments = constant["alphas"], constant["means"], constant["icf"]
        places = np.triu_indices(arguments[1].shape[1], 1)
        function = lambda *a: gmm_objective(jnp, constant, (places[1], places[0]), *a)
        derivative = jax.value_and_grad(function, (0, 1, 2))
    elif objective == "lstm":
        arguments = constant["main"], constant["extra"]

        def function(main, extra):
            def step(states, pair):
                predicted, states = lstm_step(jnp, jax.nn.sigmoid, main, extra, states, pair[0])
                normal = predicted - jnp.log(jnp.exp(predicted).sum() + 2)
                return states, (pair[1] * normal).sum()
            states = [tuple(state) for state in constant["state"]]
            pairs = constant["sequence"][:-1], constant["sequence"][1:]
            _, terms = jax.lax.scan(step, states, pairs)
            return -terms.sum() / (len(pairs[0]) * main.shape[-1])
        derivative = jax.value_and_grad(function, (0, 1))
    elif objective == "ba":
        arguments = constant["cameras"], constant["points"], constant["weights"]
        feature, camera_of, point_of = constant["features"], constant["camera_of"], constant["point_of"]
        one = lambda c, x, w, f: ba_errors(jnp, jnp.stack, c, x, w, f)
        function = lambda c, x, w: (jax.vmap(one)(c[camera_of], x[point_of], w, feature), 1 - w * w)
        blocks = jax.vmap(jax.jacrev(one, (0, 1, 2)))
        derivative = lambda c, x, w: (blocks(c[camera_of], x[point_of], w, feature), -2 * w)
    else:
        arguments = (constant["theta"],) if data["us"] is None else (constant["theta"], constant["us"])
        function = lambda theta, us=None: hand_errors(jnp, jnp.stack, constant, theta, us)
        if data["us"] is None:
            derivative = jax.jacfwd(function)
        else:
            def derivative(theta, us):
                along = lambda direction: jax.jvp(lambda u: function(theta, u), (us,), (direction,))[1]
                seeds = jnp.broadcast_to(jnp.eye(2)[:, None, :], (2, *us.shape))
                return jax.vmap(along)(seeds), jax.jacfwd(function)(theta, us)

    function, derivative = jax.jit(function), jax.jit(derivative)
    wait = jax.block_until_ready
    return lambda: wait(function(*arguments)), lambda: wait(derivative(*arguments))


# ---- PyTorch -----------------------------------------------------------------------------------------------------------

def torch_program(objective, data):
    """As jax_program, in PyTorch's eager mode."""
    import torch
    from torch.func import grad_and_value, jacfwd, jacrev, jvp, vmap
    constant = {key: torch.as_tensor(value) if isinstance(value, np.ndarray) else value for key, value in data.items()}

    if objective == "gmm":
        arguments = constant["alphas"], constant["means"], constant["icf"]
        places = np.triu_indices(arguments[1].shape[1], 1)
        function = lambda *a: gmm_objective(torch, constant, (places[1], places[0]), *a)
        derivative = torch_gradient(torch, function)
    elif objective == "lstm":
        arguments = constant["main"], constant["extra"]

        def function(main, extra):
            states = [tuple(state) for state in constant["state"]]
            predictions = []
            for x in constant["sequence"][:-1]:
                predicted, states = lstm_step(torch, torch.sigmoid, main, extra, states, x)
                predictions.append(predicted)
            predicted = torch.stack(predictions)
            normal = predicted - torch.log(torch.exp(predicted).sum(1, keepdim=True) + 2)
            return -(constant["sequence"][1:] * normal).sum() / predicted.numel()
        derivative = torch_gradient(torch, function)
    elif objective == "ba":
        arguments = constant["cameras"], constant["points"], constant["weights"]
        feature, camera_of, point_of = constant["features"], constant["camera_of"], constant["point_of"]
        one = lambda c, x, w, f: ba_errors(torch, torch.stack, c, x, w, f)
        function = lambda c, x, w: (vmap(one)(c[camera_of], x[point_of], w, feature), 1 - w * w)
        blocks = vmap(jacrev(one, (0, 1, 2)))
        derivative = lambda c, x, w: (blocks(c[camera_of], x[point_of], w, feature), -2 * w)
    else:
        arguments = (constant["theta"],) if data["us"] is None else (constant["theta"], constant["us"])
        function = lambda theta, us=None: hand_errors(torch, torch.stack, constant, theta, us)
        if data["us"] is None:
            derivative = jacfwd(function)
        else:
            def derivative(theta, us):
                along = lambda direction: jvp(lambda u: function(theta, u), (us,), (direction,))[1]
                seeds = torch.eye(2, dtype=torch.float64)[:, None, :].expand(2, *us.shape)
                return vmap(along)(seeds), jacfwd(function)(theta, us)
    return lambda: function(*arguments), lambda: derivative(*arguments)


def torch_gradient(torch, function):
    def derivative(*arguments):
        leaves = [argument.detach().requires_grad_() for argument in arguments]
        value = function(*leaves)
        return value.detach(), torch.autograd.grad(value, leaves)
    return derivative


# ---- values, comparison, times -----------------------------------------------------------------------------------------

def numbers(objective, data, value, derivative):
    """What the program prints, as arrays: the objective, and the derivative in ADBench's order (dense, or entries)."""
    flat = lambda parts: np.concatenate([np.asarray(part).ravel() for part in parts])
    if objective in ("gmm", "lstm"):
        return np.asarray(value).ravel(), flat(derivative[1])
    if objective == "ba":
        (camera, point, weight), weight_errors = derivative
        blocks = np.concatenate([camera, point, np.asarray(weight)[..., None]], axis=2)
        return flat(value), flat([blocks, weight_errors])
    if data["us"] is None:
        return flat([value]), np.asarray(derivative).reshape(-1, len(data["theta"]))
    us, theta = derivative
    columns = [np.asarray(us).reshape(2, -1).T, np.asarray(theta).reshape(-1, len(data["theta"]))]
    return flat([value]), np.concatenate(columns, axis=1)


def ba_places(data):
    """Rows and columns of the entries that `numbers` gives for bundle adjustment."""
    n, m, p = len(data["cameras"]), len(data["points"]), len(data["weights"])
    i = np.arange(p)
    columns = np.concatenate([11 * data["camera_of"][:, None] + np.arange(11),
                              11 * n + 3 * data["point_of"][:, None] + np.arange(3),
                              (11 * n + 3 * m + i)[:, None]], axis=1)
    rows = np.repeat(np.arange(2 * p), 15)
    return (3 * p, 11 * n + 3 * m + p), np.concatenate([rows, 2 * p + i]), \
        np.concatenate([np.repeat(columns, 2, axis=0).ravel(), 11 * n + 3 * m + i])


def error(ours, theirs):
    """The greatest relative error, and the greatest one relative to the greatest number."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    assert ours.shape == theirs.shape, f"shapes differ: {ours.shape} and {theirs.shape}"
    difference = np.abs(ours - theirs)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(difference == 0, 0, difference / np.abs(theirs))
    return float(relative.max()), float(difference.max() / max(np.abs(theirs).max(), 1e-300))


def derivative_of(objective, result):
    if objective in ("gmm", "lstm"):
        return np.array(result["gradient"], float)
    if objective == "hand":
        return np.array(result["jacobian"], float)
    matrix = result["jacobian"]
    return matrix["shape"], np.array(matrix["rows"]), np.array(matrix["cols"]), np.array(matrix["values"], float)


def bench(arguments, seconds):
    command = [arguments.bench, "adbench", arguments.objective, arguments.file, "--json", "--seconds", str(seconds),
               "--threads", str(arguments.threads)]
    command += ["--complicated"] * arguments.complicated + ["--replicate"] * arguments.replicate
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compare(arguments, data):
    value, derivative = (f() for f in jax_program(arguments.objective, data))
    value, derivative = numbers(arguments.objective, data, value, derivative)
    result = bench(arguments, 0.01)
    ours = derivative_of(arguments.objective, result)
    if arguments.objective == "ba":
        shape, rows, columns = ba_places(data)
        order = np.lexsort((columns, rows))
        assert tuple(ours[0]) == shape and (ours[1] == rows[order]).all() and (ours[2] == columns[order]).all(), \
            "the patterns differ"
        ours, derivative = ours[3], derivative[order]
    return dict(file=os.path.basename(arguments.file), objective=error(result["objective"], value),
                derivative=error(ours, derivative))


def median_ms(call, seconds):
    for _ in range(3):
        call()
    samples, begin = [], time.perf_counter()
    while time.perf_counter() - begin < seconds or len(samples) < 5:
        start = time.perf_counter()
        call()
        samples.append(1e3 * (time.perf_counter() - start))
    return statistics.median(samples)


def times(arguments, data):
    import torch
    torch.set_num_threads(arguments.threads)
    programs = {"jax": jax_program(arguments.objective, data), "torch": torch_program(arguments.objective, data)}
    samples = {name: ([], []) for name in ("chainrule", *programs)}
    for _ in range(arguments.rounds):
        result = bench(arguments, arguments.seconds)
        samples["chainrule"][0].append(result["objective_ms"])
        samples["chainrule"][1].append(result["derivative_ms"])
        for name, program in programs.items():
            for kept, call in zip(samples[name], program):
                kept.append(median_ms(call, arguments.seconds))
    row = {"file": os.path.basename(arguments.file)}
    for name, (objective, derivative) in samples.items():
        objective, derivative = statistics.median(objective), statistics.median(derivative)
        row[name] = dict(objective_ms=round(objective, 4), derivative_ms=round(derivative, 4),
                         ratio=round(derivative / objective, 2))
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["values", "compare", "time"])
    parser.add_argument("rest", nargs="+", metavar="[BENCH] OBJECTIVE FILE")
    parser.add_argument("--complicated", action="store_true")
    parser.add_argument("--replicate", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    arguments.bench = arguments.rest.pop(0) if arguments.what != "values" else None
    arguments.objective, arguments.file = arguments.rest
    # XLA takes as many threads as the process may use processors.
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:arguments.threads])
    read = dict(gmm=lambda: read_gmm(arguments.file, arguments.replicate), lstm=lambda: read_lstm(arguments.file),
                ba=lambda: read_ba(arguments.file), hand=lambda: read_hand(arguments.file, arguments.complicated))
    data = read[arguments.objective]()
    if arguments.what == "compare":
        print(json.dumps(compare(arguments, data)))
    elif arguments.what == "time":
        print(json.dumps(times(arguments, data)))
    else:
        value, derivative = (f() for f in jax_program(arguments.objective, data))
        value, derivative = numbers(arguments.objective, data, value, derivative)
        result = dict(objective=value.tolist())
        if arguments.objective == "ba":
            shape, rows, columns = ba_places(data)
            order = np.lexsort((columns, rows))
            rows, columns, values = (part[order].tolist() for part in (rows, columns, derivative))
            result["jacobian"] = dict(shape=shape, rows=rows, cols=columns, values=values)
        else:
            result["jacobian" if arguments.objective == "hand" else "gradient"] = derivative.tolist()
        json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
