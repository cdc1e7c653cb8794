//! The site as a browser sees it: the router by itself, then over a real socket.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
#[path = "../../build/workers.rs"]
mod build_workers;
mod carried;
mod demo;
mod infer;
mod limits;
mod model_folder;
mod models;
mod page;
mod pictures;
mod requests;
mod running;
mod site;
mod socket;
mod start;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use dermake_server::{Error, ServeConfig, Server, TlsOptions};
use sha2::{Digest, Sha256};
use site::{Answer, INDEX, OTHERS, SCRIPT, Site, WASM, WEIGHTS, answer, manifest, sha256, weights};
use tempfile::TempDir;
use tower::ServiceExt;
