//! `key new`, `key import` and `key address`. Keys and passphrases come from files or a pipe, never from the command line.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde_json::json;

use crate::chain::signer::error::KeyError;
use crate::chain::signer::{Signer, keystore};
use crate::config::secret;
use crate::node::assemble;

/// Random bytes of a passphrase that is made up here.
const PASSPHRASE_BYTES: usize = 32;

/// Subcommands of `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and write it encrypted.
    #[command(after_help = "Examples:
  veriregime-agent key new secrets/wallet.json --passphrase-file secrets/wallet.passphrase

Makes the passphrase, too, if its file is not there. Prints the address; the key itself is never shown. No file is ever
overwritten. Both files, and folders that are made for them, belong to their owner only. Keep copies of both, apart from each other.")]
    New(FileArgs),
    /// Write a key that you have, encrypted.
    #[command(after_help = "Examples:
  veriregime-agent key import secrets/wallet.json --passphrase-file secrets/wallet.passphrase --from secrets/wallet.key
  pass show wallet | veriregime-agent key import secrets/wallet.json --passphrase-file secrets/wallet.passphrase

Without --from, the key comes through a pipe: 64 hex digits. It is never an argument, which other users of the machine could
see.")]
    Import(ImportArgs),
    /// Print the addresses of the configured wallet and attestor.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml key address")]
    Address,
}

/// Where a keystore is written.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// Keystore to write; must not be there yet.
    #[arg(value_name = "KEYSTORE")]
    keystore: PathBuf,
    /// File with the passphrase, in one line; made with a random one if it is not there.
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
}

/// Options of `key import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    file: FileArgs,
    /// File with the key's 64 hex digits.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// Runs the subcommand.
///
/// # Errors
/// A key or passphrase that is none, a file that is there already or cannot be written.
pub async fn run(command: KeyCommand, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    match command {
        KeyCommand::New(args) => written(&args, None, json).await,
        KeyCommand::Import(args) => {
            let key = match &args.from {
                Some(path) => secret::read_key(path)?,
                None => piped()?,
            };
            written(&args.file, Some(&key), json).await
        }
        KeyCommand::Address => {
            let chain = assemble::deployer(&assemble::settings(settings)?).await?;
            if json {
                println!(
                    "{}",
                    json!({"wallet": chain.address().to_string(), "attestor": chain.attestor().to_string()})
                );
            } else {
                println!("wallet   {}\nattestor {}", chain.address(), chain.attestor());
            }
            Ok(())
        }
    }
}

async fn written(args: &FileArgs, key: Option<&SecretString>, json: bool) -> anyhow::Result<()> {
    if veriregime_files::size_bytes(&args.keystore).is_ok() {
        return Err(KeyError::Exists { path: args.keystore.clone() }.into());
    }
    for folder in [&args.keystore, &args.passphrase_file].into_iter().filter_map(|file| file.parent()) {
        veriregime_files::create_private_folder(folder)?;
    }
    if veriregime_files::size_bytes(&args.passphrase_file).is_err() {
        let random: [u8; PASSPHRASE_BYTES] = rand::random();
        veriregime_files::write_private(&args.passphrase_file, format!("{}\n", hex::encode(random)).as_bytes())?;
    }
    let passphrase = secret::read_passphrase(&args.passphrase_file)?;
    let made = keystore::write(&args.keystore, key, &passphrase).await?;
    // What cannot be opened again is worth nothing.
    let opened = Signer::from_keystore(&args.keystore, &passphrase).await?.expect(Some(made.address()))?;
    if json {
        println!("{}", json!({"address": opened.address().to_string(), "keystore": args.keystore}));
    } else {
        println!("{}", opened.address());
    }
    Ok(())
}

/// The key that somebody pipes in.
fn piped() -> Result<SecretString, KeyError> {
    let fault = |reason| KeyError::Piped { reason };
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err(fault("what is typed on a terminal is shown"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let read = input.take(secret::MAX_SECRET_BYTES).read_to_end(&mut bytes);
    read.map_err(|_| fault("the pipe broke"))?;
    secret::key(&bytes).map_err(fault)
}
