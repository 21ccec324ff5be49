"""Every check of the three packages is a session here; ``nox -l`` lists them with what each one proves.

``nox -s quick`` answers in two minutes. ``nox`` alone runs what a contributor needs before a commit: lint,
typing, and on this machine's Python the packages that live without torch and all tests.
``nox -t matrix`` runs every pair of Python and torch, ``nox -t once`` the sessions for which one is enough.
``nox -s tests-3.12 -- -k dice`` hands what follows ``--`` to pytest; ``-R`` keeps what is installed.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox
from packaging.requirements import Requirement
from packaging.version import Version

nox.needs_version = ">=2026.8"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True

# One torch for each Python: both ends of what the packages claim, and the two that most people have.
# A full product would take hours and find nothing more. torch 2.15 no longer serves Python 3.10.
PAIRS = {"3.10": "2.6.0", "3.11": "2.13.0", "3.12": "2.11.0", "3.13": "2.15.0"}

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
OWN = RUNNING if RUNNING in PAIRS else max(PAIRS, key=Version)  # the pair that runs everything
LOWEST = min(PAIRS, key=Version)  # the pair that has the lowest version of every dependency

REGISTRY, LOSSES, FACTORY = "lossary-registry", "lossary-losses", "lossary-factory"
# Importing torch from source files takes seconds in every process that a test starts.
COMPILED: dict[str, str | None] = {"UV_COMPILE_BYTECODE": "1"}
LANGUAGE_SERVER = "yaml-language-server@2.0.0"
TEST_GROUPS = ("test", "test-losses", "test-factory")
UNIT_TESTS = ("tests/registry", "tests/losses", "tests/factory", "tests/together")

EXAMPLES = (
    "segment_page",
    "restore_photo",
    "find_coins",
    "retrieve_digits",
    "predict_arrests",
    "prefer_text",
)
"""Programs that train small networks, in docs/examples."""

# Two workers share one process's fixtures badly, so what is marked as a group stays with one of them.
WORKERS = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadgroup")
# Each worker would otherwise start as many threads as there are cores.
ONE_THREAD: dict[str, str | None] = {"OMP_NUM_THREADS": "1"}

nox.options.sessions = ["lint", "typing", f"alone-{OWN}", f"tests-{OWN}"]


def find_pyenv_interpreters() -> None:
    """Open pyenv's shims for every Python of the matrix, whichever version the user has chosen."""
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return
    listing = subprocess.run([pyenv, "versions", "--bare"], check=True, capture_output=True, text=True)  # noqa: S603
    newest: dict[str, tuple[int, str]] = {}
    for version in listing.stdout.split():
        match = re.fullmatch(r"(3\.\d+)\.(\d+)", version)
        if match and match[1] in PAIRS:
            newest[match[1]] = max(newest.get(match[1], (-1, "")), (int(match[2]), version))
    # A shim fails for a version that is installed but not chosen: nox would then report the interpreter as
    # missing, and uv would stop at the shim.
    chosen = os.environ.get("PYENV_VERSION", "").split(":")
    os.environ["PYENV_VERSION"] = ":".join(filter(None, [*chosen, *(name for _, name in newest.values())]))
    if newest.keys() == PAIRS.keys():
        # With every interpreter at hand, a download could only mean that one was overlooked.
        os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")


find_pyenv_interpreters()
if os.environ.get("PIP_FIND_LINKS"):
    # uv does not read pip's variable: it would download a CUDA build of gigabytes past the CPU build offered.
    os.environ.setdefault("UV_FIND_LINKS", ",".join(os.environ["PIP_FIND_LINKS"].split()))
# A certificate that only the system knows, such as a proxy's, satisfies pip; uv would refuse it.
os.environ.setdefault("UV_SYSTEM_CERTS", "1")


@functools.cache
def offers_torch_without_cuda(torch: str) -> bool:
    """Ask uv, which alone knows where those builds are; not every network reaches that place."""
    command = ["uv", "pip", "compile", "--quiet", "--no-deps", "--torch-backend=cpu", "-"]
    patience = {**os.environ, "UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "0"}
    asked = subprocess.run(command, input=f"torch=={torch}".encode(), env=patience, capture_output=True)  # noqa: S603, PLW1510
    return asked.returncode == 0


def torch_build(session: nox.Session, torch: str) -> dict[str, str | None]:
    """Take torch without CUDA, a tenth of the download, unless somebody has chosen; and say so."""
    if {"UV_TORCH_BACKEND", "UV_FIND_LINKS"} & os.environ.keys() or os.environ.get("LOSSARY_TORCH") == "cuda":
        return {}
    if offers_torch_without_cuda(torch):
        session.log("torch: the build without CUDA, 0.2 GB; LOSSARY_TORCH=cuda takes the other")
        return {"UV_TORCH_BACKEND": "cpu"}
    session.log("torch: the build with CUDA, 3 GB, since builds without it are not in reach")
    return {}


built_wheels: dict[str, str] = {}


def wheels(session: nox.Session) -> dict[str, str]:
    """Build the three packages, once for a run of nox, in a folder outside the tree.

    Each wheel is built from its source distribution, so a file that the latter lacks is missed here.
    There are none where ``nox -R`` keeps what is installed.
    """
    if not built_wheels:
        folder = Path(tempfile.mkdtemp(prefix="lossary-wheels-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        session.run_install("uv", "build", "--quiet", "--all-packages", "--out-dir", str(folder))
        for wheel in folder.glob("*.whl"):
            built_wheels[wheel.name.split("-")[0].replace("_", "-")] = wheel.as_uri()
    return built_wheels


def install(
    session: nox.Session,
    *packages: str,
    groups: tuple[str, ...] = ("test",),
    torch: str | None = None,
    env: dict[str, str | None] | None = None,
) -> None:
    """Install our packages from their wheels, dependency groups, and the one torch that is asked for."""
    arguments = [f"--group={group}" for group in groups]
    if built := wheels(session):
        for package in packages:
            # uv would otherwise take what it cached from another wheel of the same name and version.
            arguments += ["--refresh-package", package, f"{package} @ {built[package]}"]
    if torch:
        arguments.append(f"torch=={torch}")
    # The workspace's sources would put the tree in place of the wheels: --no-sources.
    variables = {**({**COMPILED, **torch_build(session, torch)} if torch else {}), **(env or {})}
    # nox hides what an installer prints; a download of minutes must not look like a hang.
    session.install("--no-sources", *arguments, env=variables, silent=not sys.stdout.isatty())
    if torch:
        prove(
            session,
            f'from importlib.metadata import version; assert version("torch").split("+")[0] == "{torch}"',
        )


def install_lowest(session: nox.Session) -> None:
    """Install the lowest version of every dependency that the packages claim, and prove it."""
    # Given a wheel, this resolution silently takes the newest dependencies; it reads bounds from a tree.
    session.install(
        "--no-sources",
        "--resolution=lowest-direct",
        *(f"./packages/{name}" for name in ("registry", "losses", "factory")),
        env={**COMPILED, **torch_build(session, PAIRS[LOWEST])},
        silent=not sys.stdout.isatty(),
    )
    session.install(*(f"--group={group}" for group in TEST_GROUPS))
    # Without --quiet, uv's remark on the environment stands before the list.
    listing = session.run("uv", "pip", "list", "--quiet", "--format=json", silent=True)
    installed = {row["name"]: Version(row["version"]).public for row in json.loads(listing)}
    for name, lowest in claimed_floors(str(session.python)).items():
        if Version(installed[name]) != lowest:
            session.error(f"{name} {installed[name]} was installed, {lowest} is the lowest that we claim")


def claimed_floors(python: str) -> dict[str, Version]:
    """Read the lower bounds on foreign packages, the highest where several of ours bound the same one."""
    floors: dict[str, Version] = {}
    for path in Path("packages").glob("*/pyproject.toml"):
        for line in nox.project.load_toml(path)["project"]["dependencies"]:
            requirement = Requirement(line)
            if requirement.name.startswith("lossary-"):
                continue  # installed from the tree, whatever its version
            if requirement.marker and not requirement.marker.evaluate({"python_version": python}):
                continue
            (bound,) = (clause for clause in requirement.specifier if clause.operator == ">=")
            lowest = Version(bound.version)
            floors[requirement.name] = max(lowest, floors.get(requirement.name, lowest))
    return floors


def pytest(session: nox.Session, *arguments: str, runner: tuple[str, ...] = ()) -> None:
    """Run tests on all cores, or on four of many; what follows ``--`` on the command line comes last."""
    # Where somebody chooses tests, one of several runs may well have none of them.
    codes = [0, 5] if session.posargs else [0]
    command = (*runner, "pytest", *WORKERS, *arguments, *session.posargs)
    session.run(*command, env=ONE_THREAD, success_codes=codes)


def prove(session: nox.Session, code: str) -> None:
    """Run a statement in the session's environment; -I keeps the tree and the user's site out of it."""
    session.run("python", "-I", "-c", code)


def prove_absent(session: nox.Session, *modules: str) -> None:
    """Fail where one of the modules can be imported: a test of "works without it" would then be empty."""
    if not built_wheels:
        session.log(
            f"what an earlier run installed is kept, whether or not {', '.join(modules)} came with it"
        )
        return
    names = json.dumps(modules)
    prove(session, f"from importlib.util import find_spec; assert not [*filter(find_spec, {names})]")


def discard_on_ci(session: nox.Session) -> None:
    """Delete the environment of a session that passed: several with torch would fill a small CI disk."""
    if os.environ.get("CI"):
        shutil.rmtree(session.virtualenv.location)


@nox.session(python=OWN)
def quick(session: nox.Session) -> None:
    """In two minutes: lint, the registry and the factory alone, and the losses but for compilers."""
    session.notify("lint")
    alone_on(session)
    install(session, REGISTRY, LOSSES, FACTORY, groups=TEST_GROUPS, torch=PAIRS[OWN])
    # The representatives of the losses and a third of everything else: the rest would take minutes.
    chosen = ("-m", "not cuda and not slow and not compilers", "--share=1/3", "--others=1/3")
    pytest(session, *chosen, "tests/losses")


@nox.session(tags=["once"])
def lint(session: nox.Session) -> None:
    """Style, formatting, who imports whom, metadata, workflows and the tree's own rules hold."""
    session.install("--group=lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    packages = sorted(Path("packages").iterdir())
    # It reads the sources alone, so what they import need not be there.
    sources = os.pathsep.join(str(path / "src") for path in packages)
    session.run("lint-imports", env={"PYTHONPATH": sources})
    session.run("validate-pyproject", "pyproject.toml", *(str(path / "pyproject.toml") for path in packages))
    workflows = sorted(map(str, Path(".github/workflows").glob("*.yml")))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    forms = sorted(map(str, Path(".github/ISSUE_TEMPLATE").glob("[!c]*.yml")))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *forms)
    session.run("check-jsonschema", "--builtin-schema", "vendor.citation-file-format", "CITATION.cff")
    session.run("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")
    session.run("bash", "-n", ".ci/run", external=True)
    for package in packages:
        # The build backend cannot reach above a package, so each has a copy that could drift.
        if (package / "LICENSE").read_bytes() != Path("LICENSE").read_bytes():
            session.error(f"{package}/LICENSE differs from the LICENSE of the whole")
    locks = session.run("git", "ls-files", "*.lock", external=True, silent=True)
    if locks:
        session.error(f"a lock file names the registry it was made with and must not be tracked: {locks}")


@nox.session(python=OWN, tags=["once"])
def typing(session: nox.Session) -> None:
    """The sources pass mypy --strict and pyright; a user's code sees our types in four type checkers."""
    groups = ("test", "typing")
    never_imported: dict[str, str | None] = {"UV_COMPILE_BYTECODE": "0"}
    install(session, REGISTRY, LOSSES, FACTORY, groups=groups, torch=PAIRS[OWN], env=never_imported)
    session.run("mypy", "packages")
    session.run("mypy", "tests/typing")  # apart from the sources, so that it sees what was installed
    session.run("pyright")
    session.run("ty", "check", "tests/typing")
    session.run("pyrefly", "check", "tests/typing")


@nox.session(python=list(PAIRS), tags=["matrix"])
def alone(session: nox.Session) -> None:
    """The registry works with nothing else installed; the factory works with the registry and no torch."""
    alone_on(session)
    discard_on_ci(session)


def alone_on(session: nox.Session) -> None:
    """Test the registry with nothing else installed, and then the factory with nothing but the registry."""
    install(session, REGISTRY)
    prove_absent(session, "torch", "numpy", "attr", "attrs", "yaml", "lossary_factory", "lossary_losses")
    pytest(session, "tests/registry")
    install(session, REGISTRY, FACTORY, groups=("test", "test-factory"))
    prove_absent(session, "torch", "numpy", "lossary_losses")
    pytest(session, "tests/factory")


@nox.session(python=list(PAIRS), tags=["matrix"])
def tests(session: nox.Session) -> None:
    """All tests pass with the three packages installed, and reach nearly every line.

    This machine's own pair of Python and torch runs every test. Each other pair runs the representatives of
    the losses and a third of everything else, which tests/losses/shares.py chooses: the three together have
    all of it. The lowest pair has the lowest version of every dependency.
    """
    python = str(session.python)
    if python == LOWEST:
        install_lowest(session)
    else:
        install(session, REGISTRY, LOSSES, FACTORY, groups=TEST_GROUPS, torch=PAIRS[python])
    if python == OWN:
        session.install("--group=coverage")
        session.run("coverage", "erase")
        # Two runs of different tests: where each line is counted they take half as long again, and compilers
        # twice as long. A third of the losses reaches nearly every line.
        counted = ("-m", "not cuda and not compilers", "--share=1/3")
        pytest(session, *counted, *UNIT_TESTS, runner=("coverage", "run", "-m"))
        pytest(session, "-m", "not cuda", "--beside=1/3", "tests/losses", "tests/together")
        session.run("coverage", "combine")
        # A choice of tests reaches less, and proves nothing about the rest.
        session.run("coverage", "report", *([] if session.posargs else ["--fail-under=95"]))
    else:
        others = [each for each in PAIRS if each != OWN]
        part = f"{others.index(python) + 1}/{len(others)}"
        # The registry and the factory are tested alone on every Python; their lowest dependencies only here.
        folders = UNIT_TESTS if python == LOWEST else ("tests/losses", "tests/together")
        pytest(session, "-m", "not cuda and not slow", f"--share={part}", f"--others={part}", *folders)
    discard_on_ci(session)


@nox.session(python=OWN)
def cuda(session: nox.Session) -> None:
    """The tests that need a GPU pass on one, with a torch that sees it."""
    if shutil.which("nvidia-smi") is None:
        if os.environ.get("LOSSARY_REQUIRE_CUDA") == "1":
            session.error("LOSSARY_REQUIRE_CUDA=1, and this machine has no nvidia-smi")
        session.skip("this machine has no nvidia-smi, so no CUDA device")
    # A CPU build, wherever it is offered, would pass every test by skipping it.
    no_cpu_build: dict[str, str | None] = {"UV_FIND_LINKS": None, "UV_TORCH_BACKEND": None}
    install(session, REGISTRY, LOSSES, FACTORY, groups=TEST_GROUPS, torch=PAIRS[OWN], env=no_cpu_build)
    prove(session, 'import torch; assert torch.cuda.is_available(), "torch sees no CUDA device"')
    session.run("pytest", "-m", "cuda", *UNIT_TESTS, *session.posargs)


@nox.session(python=OWN, tags=["once"], reuse_venv=True)
def demo(session: nox.Session) -> None:
    """Losses from configuration files train networks on real data; a folder for pictures may come."""
    install(session, REGISTRY, LOSSES, FACTORY, groups=("demo",), torch=PAIRS[OWN])
    folder = Path(*session.posargs)
    for name in EXAMPLES:
        session.run("python", f"docs/examples/{name}.py", "--output", str(folder / f"{name}.png"))
    session.run("python", "docs/examples/distil_digits.py")


@nox.session(python=OWN, tags=["once"])
def interop(session: nox.Session) -> None:
    """The examples with Hydra, LightningCLI, jsonargparse and pydantic run against the real ones."""
    install(session, REGISTRY, LOSSES, FACTORY, groups=("interop",), torch=PAIRS[OWN])
    pytest(session, "tests/interop")
    discard_on_ci(session)


@nox.session(python=OWN, tags=["once"])
def hook(session: nox.Session) -> None:
    """The hook for pre-commit installs in a foreign repository, without torch, and finds mistakes."""
    session.install("--group=hook")
    session.run("pytest", "tests/hook", *session.posargs)


@nox.session(venv_backend="none", tags=["once"])
def free_threaded(session: nox.Session) -> None:
    """The registry's tests pass without the GIL, where such an interpreter is found."""
    python = next(filter(None, map(shutil.which, ("python3.14t", "python3.13t"))), None)
    if python is None:
        session.skip("there is no free-threaded interpreter (python3.14t, python3.13t) on the PATH")
    folder = Path(session.create_tmp()) / "free-threaded"
    inside = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    session.run("uv", "venv", "--quiet", "--clear", "--python", python, str(folder), external=True)
    # The newest hypothesis has no wheel for every such interpreter; the last one that has will do.
    needed = ("--only-binary", "hypothesis", "pytest>=8.4", "hypothesis>=6.150", "./packages/registry")
    session.run("uv", "pip", "install", "--quiet", "--python", inside, *needed, external=True)
    session.run(inside, "-c", "import sys; assert not sys._is_gil_enabled()", external=True)
    session.run(inside, "-X", "gil=0", "-m", "pytest", "tests/registry", *session.posargs, external=True)


@nox.session(python=OWN)
def language_server(session: nox.Session) -> None:
    """An editor with our schema completes, explains and underlines: asked of the server from npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        session.skip("this machine has no node and npm, which the server needs")
    folder = session.create_tmp()
    session.run_install(npm, "install", "--silent", f"--prefix={folder}", LANGUAGE_SERVER, external=True)
    server = Path(folder, "node_modules", "yaml-language-server", "bin", "yaml-language-server")
    install(session, REGISTRY, LOSSES, FACTORY, torch=PAIRS[OWN])
    session.run("pytest", "tests/editor", *session.posargs, env={"LOSSARY_LANGUAGE_SERVER": str(server)})


@nox.session(python=OWN)
def manifest(session: nox.Session) -> None:
    """Write down what the collection offers, so that the command answers without torch; a test compares."""
    install(session, REGISTRY, LOSSES, FACTORY, groups=(), torch=PAIRS[OWN])
    code = """
import json, pathlib, sys
from importlib.metadata import version
from lossary_factory import make_manifest
from lossary_losses import loss_registry
manifest = make_manifest(loss_registry, version=version("lossary-losses"))
text = json.dumps(manifest, indent=1, ensure_ascii=False)
pathlib.Path(sys.argv[1]).write_text(text + "\\n", encoding="utf-8")
"""
    session.run("python", "-I", "-c", code, "packages/losses/src/lossary_losses/lossary-manifest.json")


@nox.session(python=OWN)
def migrations(session: nox.Session) -> None:
    """Write down what losses of other libraries are of ours, for the command to migrate; a test compares."""
    install(session, REGISTRY, LOSSES, FACTORY, groups=("peers",), torch=PAIRS[OWN])
    file = "packages/losses/src/lossary_losses/lossary-migrations.json"
    session.run("python", "tests/peers/migrations.py", "--output", file)


@nox.session(python=OWN)
def pages(session: nox.Session) -> None:
    """Write the pages of the losses from their cards, and draw their curves; a test compares the pages."""
    install(session, REGISTRY, LOSSES, groups=("demo",), torch=PAIRS[OWN])
    session.run("python", "docs/generate.py", "--curves")


@nox.session(python=OWN, tags=["once"])
def docs(session: nox.Session) -> None:
    """The documentation builds without a warning, references to the code included."""
    install(session, REGISTRY, LOSSES, FACTORY, groups=("docs", "test"), torch=PAIRS[OWN])
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session(python=OWN)
def scoreboard(session: nox.Session) -> None:
    """Other libraries' losses are held to our rules, and docs/scoreboard.md says who keeps which."""
    install(session, REGISTRY, LOSSES, groups=("peers",), torch=PAIRS[OWN])
    session.run("python", "tests/peers/scoreboard.py", "--output", "docs/scoreboard.md", *session.posargs)


@nox.session(python=OWN, tags=["once"])
def parity(session: nox.Session) -> None:
    """Ours and other libraries' losses give the same, by the conversions that docs/parity.md records."""
    groups = ("test", "test-losses", "peers")
    install(session, REGISTRY, LOSSES, FACTORY, groups=groups, torch=PAIRS[OWN])
    session.run("pytest", "tests/peers", *session.posargs)
    discard_on_ci(session)
