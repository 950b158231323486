//! Credentials, passwords, tokens and everything that is sealed or keyed.

pub mod credential;
