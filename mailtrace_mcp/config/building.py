"""Checked sections → Config: defaults filled in, references between its parts made sure of."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from mailtrace_mcp.config.document import Path as KeyPath
from mailtrace_mcp.config.grouping import clusters_of, names_of
from mailtrace_mcp.config.model import ALL_HOSTS, Config, Host, Logs, Ssh
from mailtrace_mcp.config.problems import Problem
from mailtrace_mcp.config.schema import FileSection, HostSection, SshSection
from mailtrace_mcp.config.smtp import Profile, Smtp
from mailtrace_mcp.errors import did_you_mean, visible

_PLACES = ("local", "ssh")
_RESERVED = (ALL_HOSTS, *_PLACES)


def build(section: FileSection, file: Path, own: Mapping[str, str], found: list[Problem]) -> Config:
    """The Config; `own` are the program's variables. What is wrong is added to `found`; then the Config
    is not to be used."""
    hosts = _hosts(section, file, found)
    clusters = clusters_of(section.clusters or {}, hosts, found)
    host_names, cluster_names = names_of(hosts, clusters, found)
    return Config(
        path=file,
        zone=section.timezone or ZoneInfo("UTC"),
        hosts=hosts,
        clusters=clusters,
        limits=section.limits,
        index=section.index,
        groups=section.groups or {},
        smtp=_smtp(section, found),
        http=section.http,
        own=own,
        _hosts_by_name=host_names,
        _clusters_by_name=cluster_names,
    )


def _hosts(section: FileSection, file: Path, found: list[Problem]) -> dict[str, Host]:
    written = section.hosts or {}
    by_name = {name.casefold(): name for name in written}
    hosts = {}
    for name, one in written.items():
        if name.casefold() in _RESERVED:
            found.append(
                Problem(("hosts", name), "is a word of its own here: name the host otherwise")
            )
        if by_name[name.casefold()] != name:
            found.append(Problem(("hosts", name), "differs from another host in case only"))
        hosts[name] = Host(
            name=name,
            addresses=one.address or (),
            aliases=one.aliases or (),
            zone=one.timezone or section.timezone or ZoneInfo("UTC"),
            zone_assumed=one.timezone is None,
            logs=_logs(name, written, by_name, file, found),
            ssh=_ssh(one, section.ssh),
        )
    return hosts


def _logs(
    name: str,
    written: dict[str, HostSection],
    by_name: dict[str, str],
    file: Path,
    found: list[Problem],
) -> Logs:
    """The logs of one host, followed through `at: HOST` to where they lie."""
    said = written[name].logs
    where: KeyPath = ("hosts", name, "logs")
    at = said.at or "local"
    holder, kind, files = name, said.kind, said.files
    seen = {name}
    while at not in _PLACES:
        next_holder = by_name.get(at.casefold())
        if next_holder is None:
            words = f"names no host: '{visible(at)}' is not among hosts, nor local or ssh."
            found.append(Problem((*where, "at"), words + did_you_mean(at, [*written, *_PLACES])))
            break
        if next_holder in seen:
            found.append(
                Problem((*where, "at"), "leads in a circle: some host must say local or ssh")
            )
            break
        seen.add(next_holder)
        holder = next_holder
        at = written[holder].logs.at or "local"
        files = files or written[holder].logs.files
        if said.at and "kind" not in said.model_fields_set:
            kind = written[holder].logs.kind
    if kind == "files" and files is None:
        found.append(Problem(where, "has no files: name them, files: [/var/log/mail.log*]"))
    if kind == "journald" and said.files is not None:
        found.append(Problem((*where, "files"), "and kind: journald do not go together"))
    local = at == "local"
    place = "local" if local else holder
    return Logs(
        at=said.at or "local",
        kind=kind,
        files=tuple(
            _absolute(one, file.parent, local, (*where, "files"), found) for one in files or ()
        ),
        place=place,
    )


def _absolute(pattern: str, folder: Path, local: bool, path: KeyPath, found: list[Problem]) -> str:
    """A local glob, from the configuration's folder on; a remote one must be absolute."""
    if local:
        expanded = os.path.expanduser(pattern)
        return os.path.join(glob.escape(os.path.abspath(folder)), expanded)
    if not pattern.startswith(("/", "~/")):
        found.append(Problem(path, "must be absolute (/… or ~/…) on another machine"))
    return pattern


def _ssh(host: HostSection, common: SshSection) -> Ssh:
    own = host.ssh
    return Ssh(
        known_hosts=common.known_hosts,
        connect_timeout=common.connect_timeout,
        command_timeout=common.command_timeout,
        user=own.user or common.user,
        port=own.port or common.port,
        key=own.key or common.key,
        allow_agent=_first(own.allow_agent, common.allow_agent),
        look_for_keys=_first(own.look_for_keys, common.look_for_keys),
        password=own.password,
        passphrase=own.passphrase or common.passphrase,
    )


def _first(own: bool | None, common: bool | None) -> bool:
    return bool(common if own is None else own)


def _smtp(section: FileSection, found: list[Problem]) -> Smtp:
    """The profiles with those of a provider file among them, and their references made sure of."""
    provided = {name: one.profile() for name, one in (section.providers or {}).items()}
    twice = provided.keys() & section.smtp.profiles.keys()
    found += [Problem(("providers", name), "is also in smtp.profiles") for name in sorted(twice)]
    profiles: dict[str, Profile] = section.smtp.profiles | provided
    default = section.smtp.default
    if default is None and len(profiles) == 1:
        default = next(iter(profiles))
    if default is not None and default not in profiles:
        found.append(Problem(("smtp", "default"), _unknown_profile(default, profiles)))
    for name, profile in profiles.items():
        where: KeyPath = ("smtp", "profiles", name, "fallback")
        if profile.fallback is not None and profile.fallback not in profiles:
            found.append(Problem(where, _unknown_profile(profile.fallback, profiles)))
        elif profile.fallback is not None and _circular(name, profiles):
            found.append(Problem(where, "leads in a circle"))
    return section.smtp.model_copy(update={"profiles": profiles, "default": default})


def _unknown_profile(name: str, profiles: dict[str, Profile]) -> str:
    return f"names no profile: '{visible(name)}'." + did_you_mean(name, profiles)


def _circular(name: str, profiles: dict[str, Profile]) -> bool:
    seen = {name}
    step = profiles[name].fallback
    while step is not None and step in profiles:
        if step in seen:
            return True
        seen.add(step)
        step = profiles[step].fallback
    return False
