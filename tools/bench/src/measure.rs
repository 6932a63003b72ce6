//! Timing a closure and printing the result.

use std::time::Instant;

/// The settings of a run.
pub struct Bench {
    pub threads: usize,
    pub seconds: f64,
}

/// Times of one call, in seconds.
pub struct Times {
    pub median: f64,
    pub least: f64,
    pub p90: f64,
    pub repetitions: usize,
}

impl Bench {
    /// Calls `work` for the measuring time, at least ten times, after three calls to warm up.
    pub fn time(&self, mut work: impl FnMut()) -> Times {
        for _ in 0..3 {
            work();
        }
        let start = Instant::now();
        work();
        let once = start.elapsed().as_secs_f64();
        let inner = if once < 2e-4 {
            (1e-3 / once.max(1e-9)).max(1.0) as usize
        } else {
            1
        };
        let mut samples = Vec::new();
        let begin = Instant::now();
        while begin.elapsed().as_secs_f64() < self.seconds || samples.len() < 10 {
            let start = Instant::now();
            for _ in 0..inner {
                work();
            }
            samples.push(start.elapsed().as_secs_f64() / inner as f64);
        }
        samples.sort_by(f64::total_cmp);
        Times {
            median: samples[samples.len() / 2],
            least: samples[0],
            p90: samples[(samples.len() - 1) * 9 / 10],
            repetitions: samples.len(),
        }
    }

    /// Times `work` and prints the time of one call in `unit` ("ms", "us" or "ns"), divided by `operations`.
    pub fn report(
        &self,
        workload: &str,
        case: &str,
        unit: &str,
        operations: f64,
        work: impl FnMut(),
    ) {
        let scale = match unit {
            "ns" => 1e9,
            "us" => 1e6,
            _ => 1e3,
        } / operations;
        let times = self.time(work);
        self.line(
            workload,
            case,
            unit,
            times.median * scale,
            &format!(
                ",\"min\":{:.4},\"p90\":{:.4},\"reps\":{}",
                times.least * scale,
                times.p90 * scale,
                times.repetitions
            ),
        );
    }

    /// Prints one figure; `rest` is appended inside the object.
    pub fn line(&self, workload: &str, case: &str, unit: &str, median: f64, rest: &str) {
        println!(
            "{{\"peer\":\"chainrule\",\"version\":\"{}\",\"workload\":\"{workload}\",\"case\":\"{case}\",\"threads\":{},\"unit\":\"{unit}\",\"median\":{median:.4}{rest}}}",
            env!("CARGO_PKG_VERSION"),
            self.threads,
        );
    }
}
