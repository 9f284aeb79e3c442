"""Where the directory is: an URL given by hand, or the one in maysend.toml.

maysend.toml is looked for as `--config` or $MAYSEND_CONFIG says, else in the working directory,
else in /etc/maysend. Only its key `directory` is read here:

    directory = "sqlite:///maysend.db"    # relative to the file it stands in
    directory = "postgresql://maysend@db.example.com/maysend"
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from maysend.directory.errors import DirectoryError
from maysend.directory.opening import SQLITE_PREFIX, is_postgresql, sqlite_path

CONFIG_NAME = "maysend.toml"
SYSTEM_CONFIG = Path("/etc/maysend") / CONFIG_NAME


class ConfigError(DirectoryError):
    """No maysend.toml, or one that does not say where the directory is."""


class _DirectoryKey(msgspec.Struct):
    """What is read of maysend.toml here; its other keys are others' business."""

    directory: str | None = None


def directory_url(
    config: str | None = None,
    given: str | None = None,
    environment: Mapping[str, str] | None = None,
    working_directory: Path | None = None,
) -> str:
    """The directory's URL: `given`, that of `config`, $MAYSEND_DIRECTORY, or maysend.toml's.

    `config` names a maysend.toml; `environment` and `working_directory` are the process's unless
    given. ConfigError says where it was looked for and what to write.
    """
    environment = os.environ if environment is None else environment
    # What was given by hand counts before what lies around in the environment.
    named = given or (None if config else environment.get("MAYSEND_DIRECTORY"))
    if named:
        return named
    file = config_file(config, environment, working_directory or Path.cwd())
    if file is None:
        raise ConfigError(
            f"where is the directory? There is no {CONFIG_NAME} here or in {SYSTEM_CONFIG.parent}: "
            f"give --directory {SQLITE_PREFIX}maysend.db, or write that into {CONFIG_NAME} as "
            f'directory = "{SQLITE_PREFIX}maysend.db"'
        )
    return _url_in(file)


def config_file(
    config: str | None, environment: Mapping[str, str], working_directory: Path
) -> Path | None:
    """The maysend.toml that counts; None where nobody named one and none is in its places."""
    named = config or environment.get("MAYSEND_CONFIG")
    if named:
        return Path(named)
    places = (working_directory / CONFIG_NAME, SYSTEM_CONFIG)
    return next((place for place in places if place.is_file()), None)


def _url_in(file: Path) -> str:
    try:
        key = msgspec.toml.decode(file.read_bytes(), type=_DirectoryKey)
    except OSError as error:
        raise ConfigError(f"can't read {file}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from None
    if key.directory is None:
        raise ConfigError(f'{file} has no line like directory = "{SQLITE_PREFIX}maysend.db"')
    return absolute_url(key.directory, file)


def absolute_url(url: str, file: Path) -> str:
    """`url` as it stands in `file`: the path of an SQLite file is relative to that file."""
    if is_postgresql(url):
        return url
    return SQLITE_PREFIX + str(file.absolute().parent / sqlite_path(url))
