//! Small files of every kind that is read, made here or by other programs.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{Cursor, Write};

/// A gradient of colours, 32 x 32, written by Pillow: `r = 8x, g = 8y, b = 4(x + y)`.
pub const JPEG: &[u8] = include_bytes!("gradient.jpg");
/// The same, in progressive order.
pub const PROGRESSIVE: &[u8] = include_bytes!("progressive.jpg");
/// Its red channel as a grey image.
pub const GREY: &[u8] = include_bytes!("grey.jpg");
/// Written by `numpy.savez_compressed`.
pub const NUMPY: &[u8] = include_bytes!("numpy.npz");

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn idx_file(kind: u8, extents: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, kind, extents.len() as u8];
    file.extend(extents.iter().flat_map(|extent| extent.to_be_bytes()));
    file.extend(elements);
    file
}

/// Three by two pixels, values 0, 10, .. in red, 100 in green, 200 in blue, or all one less with `darker`.
pub fn png(darker: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 3, 2);
    encoder.set_color(png::ColorType::Rgb);
    let minus = u8::from(darker);
    let pixels: Vec<u8> = (0..6)
        .flat_map(|at| [at * 10, 100 - minus, 200 - minus])
        .collect();
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&pixels)
        .unwrap();
    file
}

/// An archive of two classes in two parts.
pub fn archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for part in ["test", "train"] {
        for class in ["dog", "cat"] {
            let image = png(class == "dog");
            let mut header = tar::Header::new_gnu();
            header.set_size(image.len() as u64);
            header.set_mode(0o644);
            let name = format!("images/{part}/{class}/0001.png");
            archive
                .append_data(&mut header, name, image.as_slice())
                .unwrap();
        }
    }
    gzip(&archive.into_inner().unwrap())
}

/// An archive of the binary version, a record a file.
pub fn binary_archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (file, label) in [
        ("data_batch_2", 5u8),
        ("data_batch_1", 4),
        ("test_batch", 9),
    ] {
        let record = [vec![label], vec![label; 3072]].concat();
        let mut header = tar::Header::new_gnu();
        header.set_size(record.len() as u64);
        header.set_mode(0o644);
        let name = format!("cifar-10-batches-bin/{file}.bin");
        archive
            .append_data(&mut header, name, record.as_slice())
            .unwrap();
    }
    gzip(&archive.into_inner().unwrap())
}

pub fn npy_file(version: u8, descr: &str, fortran: bool, shape: &str, elements: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY".to_vec();
    file.extend([version, 0]);
    match version {
        1 => file.extend((header.len() as u16).to_le_bytes()),
        _ => file.extend((header.len() as u32).to_le_bytes()),
    }
    file.extend(header.bytes());
    file.extend(elements);
    file
}

pub fn npz_file(packed: bool) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let method = match packed {
        true => zip::CompressionMethod::Deflated,
        false => zip::CompressionMethod::Stored,
    };
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    let weight = [1.0f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat();
    let files = [
        ("weight.npy", npy_file(1, "<f4", false, "(2, 2)", &weight)),
        ("bias.npy", npy_file(1, "|u1", false, "(600,)", &[7; 600])),
    ];
    for (name, bytes) in files {
        archive.start_file(name, options).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
