//! The settings of `eaf up`: flags, then the environment, then `eaf.toml`, then what the program carries.
//!
//! What: finds the file, reads it, lays flags over it. Absent: the meaning of settings; the server has them.

use super::Args;
use crate::commands::Context;
use crate::connect;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use eaf_server::{Config, TlsFiles};
use std::io;
use std::path::{Path, PathBuf};

/// Where settings are looked for when nobody names a file.
const PLACES: [&str; 2] = ["eaf.toml", "/etc/eaf/eaf.toml"];

/// The settings file and its text.
fn find(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, Failure> {
    let read = |path: &Path| std::fs::read_to_string(path);
    if let Some(path) = named {
        let text = read(path).map_err(|error| Failure::file("fail-read", path, &error))?;
        return Ok(Some((path.to_owned(), text)));
    }
    for place in PLACES {
        let path = Path::new(place);
        match read(path) {
            Ok(text) => return Ok(Some((path.to_owned(), text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::file("fail-read", path, &error)),
        }
    }
    Ok(None)
}

fn parse(path: &Path, text: &str) -> Result<Config, Failure> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        let place = format!("{}:{line}", path.display());
        Failure::Said {
            code: exit::BAD_FILE,
            say: Say::new("fail-settings").with("place", place),
            why: vec![error.message().to_owned()],
        }
    })
}

/// True where a settings file names the data directory itself.
fn names_data_dir(text: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok_and(|table| table.contains_key("data_dir"))
}

/// The settings, and the file that they are from.
pub(super) fn read(args: &Args, context: &Context) -> Result<(Config, Option<PathBuf>), Failure> {
    let found = find(args.config.as_deref())?;
    let mut config = match &found {
        Some((path, text)) => parse(path, text)?,
        None => Config::default(),
    };
    let own_dir = found.as_ref().is_some_and(|(_, text)| names_data_dir(text));
    match &context.data_dir {
        Some(dir) => config.data_dir.clone_from(dir),
        None if own_dir => {}
        None => config.data_dir = connect::default_data_dir(),
    }
    // The supervisor and its tasks work elsewhere, so the directory is named from the root.
    let absolute = std::path::absolute(&config.data_dir);
    config.data_dir = absolute.map_err(|error| Failure::file("fail-read", &config.data_dir, &error))?;
    config.port = args.port.unwrap_or(config.port);
    config.bind = args.bind.unwrap_or(config.bind);
    config.insecure_http |= args.insecure_http;
    config.check_invariants |= args.check_invariants;
    if let (Some(certificate), Some(key)) = (args.tls_cert.clone(), args.tls_key.clone()) {
        config.tls = Some(TlsFiles { certificate, key });
    }
    config.site = args.site.clone().or(config.site);
    config.pretend_accelerators = args.pretend_accelerators.clone().or(config.pretend_accelerators);
    Ok((config, found.map(|(path, _)| path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use eaf_api::messages::Lang;

    #[test]
    fn a_wrong_setting_is_told_with_its_line() {
        let check = |text: &str, place: &str, why: &str| {
            let failure = parse(Path::new("eaf.toml"), text).expect_err(text);
            let (headline, below) = failure.told(Lang::En).expect("words");
            assert!(headline.contains(place), "{headline}");
            assert!(below[0].contains(why), "{below:?}");
        };
        check("port = 1\nprot = 2\n", "eaf.toml:2", "unknown field `prot`");
        check("port = 70000\n", "eaf.toml:1", "");
        check("[retention]\njournal = 'soon'\n", "eaf.toml:2", "not a duration");
    }

    #[test]
    fn the_example_settings_are_the_defaults() {
        let text = include_str!("../../../../../examples/eaf.toml");
        let example = parse(Path::new("eaf.toml"), text).expect("the example reads");
        let default = Config { data_dir: example.data_dir.clone(), ..Config::default() };
        assert_eq!(toml::to_string(&example).expect("writes"), toml::to_string(&default).expect("writes"));
    }
}
