//! With the feature `cuda`, compiles the kernels for training.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder for what build scripts make"));
    if env::var_os("CARGO_FEATURE_CUDA").is_some() { compile_kernels(&out.join("kernels.fatbin")) } else { Ok(()) }
}

/// Compiles the kernels for the A100 and the H100, and as PTX for GPUs that come later.
fn compile_kernels(output: &Path) -> io::Result<()> {
    // Cargo runs this in the folder of the crate, which may have moved since this was compiled.
    let folder = Path::new("kernels");
    // Not the folder: it has an emulated driver, too, which is no part of the program.
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "cu" || ending == "cuh") {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    for variable in ["NVCC", "CUDA_HOME", "CUDA_PATH"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let nvcc = nvcc();
    let compiled = Command::new(&nvcc)
        .args(["-std=c++17", "-O3", "-fatbin"])
        .args(["-gencode=arch=compute_80,code=sm_80", "-gencode=arch=compute_90,code=sm_90"])
        .arg("-gencode=arch=compute_90,code=compute_90")
        .arg("-o")
        .args([output, &folder.join("kernels.cu")])
        .output();
    let compiled = compiled.map_err(|err| {
        io::Error::other(format!(
            "the feature cuda needs nvcc, NVIDIA's compiler; set NVCC to it: {} ({err})",
            nvcc.display()
        ))
    })?;
    match compiled.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("nvcc failed:\n{}", String::from_utf8_lossy(&compiled.stderr)))),
    }
}

/// The compiler that candle's kernels are built with, too: `NVCC`, the one on the path, or the toolkit's.
fn nvcc() -> PathBuf {
    let given = env::var_os("NVCC").map(PathBuf::from);
    let folders = env::var_os("PATH").map(|paths| env::split_paths(&paths).collect::<Vec<_>>()).unwrap_or_default();
    let homes = ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(env::var_os).map(PathBuf::from);
    let homes = homes.chain(["/usr/local/cuda", "/opt/cuda"].map(PathBuf::from));
    let on_path = folders.into_iter().chain(homes.map(|home| home.join("bin"))).map(|folder| folder.join("nvcc"));
    given.into_iter().chain(on_path).find(|path| path.is_file()).unwrap_or_else(|| PathBuf::from("nvcc"))
}
