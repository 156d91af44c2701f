"""The wheel, installed beside projects that are not ours: nothing changes for them unless they ask for it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]

PYTEST = ("-P", "-c", "import pytest, sys; sys.exit(pytest.console_main())")
"""What the command `pytest` does: the folder that it is run in is not on the path."""
PYTHON_M_PYTEST = ("-m", "pytest")


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory):
    """An environment of its own with our wheel in it, which sees the libraries of this one."""
    pytest.importorskip("hatchling", reason="building the wheel needs hatchling")
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=_ROOT,
        check=True,
        capture_output=True,
    )
    venv.create(folder / "env", with_pip=False)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder / "env")}))
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return Path(sysconfig.get_path("scripts", "venv", {"base": str(folder / "env")}), "python")


@pytest.fixture
def run(interpreter, tmp_path):
    """Runs the installed interpreter in an empty folder."""

    def run(*arguments):
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "PYTHON"))
        }
        return subprocess.run(
            [str(interpreter), *arguments, "-p", "no:cacheprovider"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    return run


def write(folder, **files):
    for name, text in files.items():
        path = folder / f"{name.replace('__in__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("command", [PYTEST, PYTHON_M_PYTEST], ids=["pytest", "python -m pytest"])
@pytest.mark.parametrize("package", [True, False], ids=["package", "folder"])
def test_a_project_with_a_scenarios_folder_of_its_own_works_as_before(run, tmp_path, command, package):
    imported = "from scenarios.steps import MINE" if package else "from steps import MINE"
    write(
        tmp_path,
        scenarios__in__steps="MINE = 1\n",
        scenarios__in__test_mine=f"{imported}\n\ndef test_mine(request):\n    assert MINE == 1\n"
        "    assert not request.config.pluginmanager.has_plugin('scenarios.lab.pytest_plugin')\n",
    )
    if package:
        write(tmp_path, scenarios__in____init__="")
    result = run(*command, "-W", "error", "-o", "strict=true")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
    assert "heisenlab" not in result.stdout


def test_a_folder_without_an_init_file_stays_importable_by_its_name(run, tmp_path):
    write(
        tmp_path,
        scenarios__in__steps="MINE = 1\n",
        simulations__in__worlds="YOURS = 2\n",
        test_mine="import scenarios\n"
        "from scenarios.steps import MINE\n"
        "from simulations.worlds import YOURS\n\n"
        "def test_mine():\n"
        "    assert (MINE, YOURS) == (1, 2)\n"
        "    assert 'steps' not in scenarios.catalogue()\n",
    )
    result = run(*PYTHON_M_PYTEST, "-W", "error")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_wheel_tests_itself_anywhere_with_its_asserts_rewritten(run, interpreter, tmp_path):
    write(
        tmp_path,
        test_asserts="import scenarios.invalid_mode\n\ndef test_rewritten():\n"
        "    assert type(scenarios.invalid_mode.__loader__).__name__ == 'AssertionRewritingHook'\n",
    )
    result = run(
        *PYTEST, "-p", "scenarios.lab.pytest_plugin", "-W", "error", "-o", "strict=true", "-v",
        "--pyargs", "scenarios", "test_asserts.py", "-k", "invalid-mode-as-shipped or rewritten",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert "test_each_variant_is_what_it_says[invalid-mode-as-shipped] PASSED" in result.stdout
    assert "2 passed" in result.stdout
    assert "heisenlab hunt invalid-mode" in result.stdout
    assert f"from {interpreter.parent.parent}" in result.stdout
    assert "doubtful" not in result.stdout


def test_the_command_test_is_not_misled_by_the_project_that_it_is_run_in(run, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", encoding="utf-8")
    write(
        tmp_path, scenarios__in____init__="raise RuntimeError('not ours')\n", conftest="raise RuntimeError\n"
    )
    code = "import sys; from scenarios.lab.commands import main; sys.exit(main())"
    result = run("-P", "-c", code, "test", "-k", "invalid-mode-as-shipped")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout


def test_a_project_may_name_the_plugin_and_have_a_bug_of_its_own(run, tmp_path):
    shutil.copy(Path(__file__).with_name("toy.py"), tmp_path / "stories.py")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest]\nstrict = true\nfilterwarnings = ["error"]\n', encoding="utf-8"
    )
    write(
        tmp_path,
        conftest='pytest_plugins = ["scenarios.lab.pytest_plugin"]\n',
        test_own="import pytest\nimport stories\n\n@pytest.mark.bug(stories.SCENARIO)\n"
        "def test_each(lab, variant):\n    if variant != 'broken':\n        lab.check(variant)\n\n"
        "def test_other():\n    pass\n",
    )
    result = run(*PYTHON_M_PYTEST)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "7 passed" in result.stdout
    assert "pytest 'test_own.py::test_each[toy-as-shipped]' --show-bugs --lab-seed 0" in result.stdout
    assert "3 findings replayed identically: two fresh interpreters" in result.stdout


def test_a_demonstration_is_shown_from_the_wheel_and_leaves_nothing_behind(interpreter, tmp_path):
    command = [str(interpreter), "-P", "-m", "scenarios.lab.commands", "demo", "find"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 1, shown.stdout + shown.stderr
    assert "AssertionError: 0x80000000" in shown.stdout
    assert not [*tmp_path.iterdir()]


def test_the_wheel_writes_a_course_into_an_empty_folder(interpreter, tmp_path):
    command = [str(interpreter), "-m", "scenarios.lab.commands", "learn", "course", "--teacher"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for folder, kind in (("demos", "*.py"), ("notebooks", "*.ipynb"), ("notebooks/solutions", "*.py")):
        here = {path.name for path in (tmp_path / "course" / folder).glob(kind)}
        assert here == {path.name for path in (_ROOT / "docs" / folder).glob(kind)}
    assert (tmp_path / "course/talk.md").read_text() == (_ROOT / "docs/talk.md").read_text()
