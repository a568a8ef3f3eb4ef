"""Web addresses of input files: their form, the names of their files on disk, and how they are shown without secrets.

An address is ``https://host/path``, ``http://host/path`` or ``hf://[datasets/|models/]name@revision/path``. It may end
in ``!member``, a file inside an archive, and then in ``#sha256=<64 hex digits>``, the checksum of what is fetched.
``{lang}`` is a placeholder, as in paths. ``${NAME}`` is an environment variable, filled in at the request only, so that
no secret gets into a config or provenance, and only if ``SWITCHRANK_SEND`` lists it: no config sends what it likes.
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

FOLDER = "data/downloads"
"""The folder for files of addresses in a config, relative to the working directory."""
SEND = "SWITCHRANK_SEND"
"""The environment variable that lists, between commas, those that may be sent to the hosts of addresses."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_FRAGMENT = re.compile(r"sha256=([0-9a-fA-F]{64})")
_MEMBER = re.compile(r"(.+\.(?:zip|tar|tgz|tar\.(?:gz|bz2|xz))(?:\?[^!]*)?)!(.+)")
_HUB = re.compile(r"hf://(?:(datasets|models)/)?((?:[^/@]+/)?[^/@]+)@([^/]+)/(.+)")
_PLACEHOLDER = re.compile(r"(?<!\$)\{(\w+)\}")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PARAMETER = re.compile(r"([^&=]+)=[^&]*")
_LOCAL = "localhost"
_SECRET = re.compile(
    r"token|secret|passw|pwd|signature|^sig$|api[-_]?key|access[-_]?key|auth|credential|session|^key$", re.IGNORECASE
)


@dataclass(frozen=True)
class Address:
    """An address in its parts: what is requested (variables not filled in), its checksum, the archive's member."""

    url: str
    sha256: str | None = None
    member: str | None = None


def is_address(text: str) -> bool:
    """Whether a path is a web address, of a known scheme or not."""
    return _ADDRESS.match(text) is not None


def parse_address(text: str) -> Address:
    """The parts of an address; ValueError, ``problem: what to do``, if one is missing or wrong or shows a secret."""
    plain, hash_sign, fragment = text.partition("#")
    checksum = _FRAGMENT.fullmatch(fragment)
    if hash_sign and not checksum:
        raise ValueError("the part after # is not a checksum: write #sha256= and 64 hexadecimal digits")
    inside = _MEMBER.fullmatch(plain)
    url, member = inside.groups() if inside else (plain, None)
    _check(url)
    if checksum and placeholders(text):
        raise ValueError("one checksum for several files: give each file its own under downloads")
    return Address(url, checksum[1].lower() if checksum else None, member)


def _check(url: str) -> None:
    if not is_address(url):
        raise ValueError("not a web address: write https://host/path or hf://name@revision/path")
    scheme = url.partition("://")[0].lower()
    if scheme == "hf":
        if not _HUB.fullmatch(url):
            raise ValueError("not an address on the Hugging Face hub: write hf://name@revision/path/of/file")
        return
    if scheme not in {"http", "https"}:
        raise ValueError(f"files cannot be fetched by {scheme}: give an https address, or fetch it and give its path")
    if re.search(r"[\x00-\x20\x7f]", url):
        raise ValueError("a space or control character in an address: write a space as %20")
    try:
        parts = urlsplit(url)
        secrets = [value for name, value in parse_qsl(parts.query) if _SECRET.search(name)]
        secrets.append(parts.password if parts.password is not None else parts.username or "")
        missing = not parts.hostname or parts.port == 0
    except ValueError:
        missing = True
    if missing:
        raise ValueError("no valid host in the address: write https://host/path")
    if any(value and not _VARIABLE.fullmatch(value) for value in secrets):
        raise ValueError("a password or token is written out: write ${NAME} there and export NAME in the environment")


def placeholders(text: str) -> list[str]:
    """Names in single braces, such as ``lang``, in order of appearance."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled in; those without a value stay."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def variables(text: str) -> list[str]:
    """Names of the environment variables in an address."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def file_name(url: str, *, member: str | None = None, sha256: str | None = None) -> str:
    """``host/digest/name``: one name per address (with member and checksum), readable, safe, its suffixes kept.

    Placeholders stay placeholders: in the name, or in a folder before it where the name has none of them.
    """
    whole = url if member is None else f"{url}!{member}"
    pinned = whole if sha256 is None else f"{whole}#{sha256}"
    digest = hashlib.sha256(pinned.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    hub = _HUB.fullmatch(url)
    parts = urlsplit(url)
    host = "hf" if hub else parts.netloc.rpartition("@")[2]
    path = member or (hub[4] if hub else unquote(parts.path, errors="replace"))
    name = _safe(path.rstrip("/").rpartition("/")[2])[-120:].lstrip("._-") or "file"
    elsewhere = "-".join(f"{{{word}}}" for word in placeholders(whole) if word not in placeholders(name))
    return "/".join(part for part in (_safe(host) or "host", digest, elsewhere, name) if part)


def _safe(text: str) -> str:
    """Letters, digits, ``.``, ``-``, ``_`` and placeholders; anything else becomes ``_``."""
    return re.sub(r"((?<!\$)\{\w+\})|[^A-Za-z0-9._-]", lambda match: match[1] or "_", text)


def local_path(text: str) -> str:
    """The path, relative to the working directory, at which the file of an address in a config stands."""
    address = parse_address(text)
    return f"{FOLDER}/{file_name(address.url, member=address.member)}"


def request_url(url: str, environment: Mapping[str, str]) -> str:
    """The address to request: variables filled in, ``hf://`` turned into the hub's address (``HF_ENDPOINT``).

    ValueError, ``problem: what to do``, if a variable is not set, or may not be sent there.
    """
    used = variables(url)
    check_sent(used, environment)
    for name in used:
        if not environment.get(name):
            raise ValueError(f"environment variable {name} is not set: export it")
    requested = _on_the_web(_VARIABLE.sub(lambda match: environment[match[1]], url), environment)
    if used and not is_private(requested):
        raise ValueError(f"would send environment variable {used[0]} unencrypted: write https")
    return requested


def _on_the_web(url: str, environment: Mapping[str, str]) -> str:
    hub = _HUB.fullmatch(url)
    if not hub:
        return url
    kind, name, revision, path = hub.groups()
    folder = "" if kind == "models" else "datasets/"
    return f"{hub_endpoint(environment)}/{folder}{name}/resolve/{revision}/{quote(path)}"


def sendable(environment: Mapping[str, str]) -> set[str]:
    """The environment variables that may be sent."""
    return {name.strip() for name in environment.get(SEND, "").split(",")} - {""}


def check_sent(names: Iterable[str], environment: Mapping[str, str]) -> None:
    """Raise ValueError, ``problem: what to do``, for an environment variable that may not be sent."""
    listed = sendable(environment)
    for name in names:
        if name not in listed:
            todo = f"if that host may have it, export {SEND}={','.join(sorted(listed | {name}))}"
            raise ValueError(f"would send environment variable {name}: {todo}")


def is_private(url: str) -> bool:
    """Whether a request to an address is encrypted, or never leaves this machine."""
    parts = urlsplit(url)
    if parts.scheme.lower() == "https" or parts.hostname == _LOCAL:
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def host_of(url: str, environment: Mapping[str, str]) -> str:
    """The host of an address; variables in it stay as they are."""
    return urlsplit(_on_the_web(url, environment)).netloc.rpartition("@")[2]


def hub_endpoint(environment: Mapping[str, str]) -> str:
    """The address of the Hugging Face hub, or of the mirror that ``HF_ENDPOINT`` names."""
    return (environment.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def shown(url: str) -> str:
    """An address for messages: passwords and the values of parameters that may be secret are replaced by ``***``."""
    if url.lower().startswith("hf://"):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return re.sub(r"//[^/]*@", "//***@", url.partition("?")[0])
    host = re.sub(r".*@", "***@", parts.netloc)
    query = _PARAMETER.sub(lambda pair: f"{pair[1]}=***" if _SECRET.search(unquote(pair[1])) else pair[0], parts.query)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def split_advice(error: ValueError) -> tuple[str, str]:
    """The problem and what to do, from the message ``problem: what to do``."""
    problem, _, todo = str(error).partition(": ")
    return problem, todo
