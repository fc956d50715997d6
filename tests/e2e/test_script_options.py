# SPDX-License-Identifier: BSD-3-Clause
"""The options that a file of custom commands declares: shown, given, refused."""
import pytest

import program

EXAMPLE = str(program.REPOSITORY / "examples" / "custom_command.lua")
FILE = ("--custom-command-file", EXAMPLE)


@pytest.fixture(autouse=True)
def needs_lua(run):
    if "custom commands in Lua: LuaJIT" not in run("--version").out:
        pytest.skip("built without Lua")


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "own.lua"
        path.write_text(text)
        return str(path)

    return write


def test_help_lists_them_with_the_file_only(run):
    shown = run("--help", *FILE).expect(0).out
    assert " Options of custom_command.lua:\n      --items=N " in shown
    assert "(default: 10)" in shown[shown.index("--items"):]
    assert "--items" not in run("--help").expect(0).out


@pytest.mark.parametrize("arguments, fields", [((), 10), (("--items", 3), 3), (("--items=4", "--items=2"), 2)])
def test_their_values_reach_the_file(run, server, arguments, fields):
    run("-p", server.port, "-n", 40, "--sequential", 20, *FILE, "--custom-command-args", "hset", *arguments).expect(0)
    assert server.client.keys() == {f"key:{n}" for n in range(20)}
    assert server.client.call("HLEN", "key:7") == fields


def test_unknown_ones_are_refused(run):
    result = run(*FILE, "--itemz", 3).expect(1)
    assert result.err == "Unknown option --itemz; see --help.\n"
    assert "Unknown option --items" in run("--items", 3).expect(1).err


def test_init_may_refuse_a_value(run, server):
    result = run("-p", server.port, *FILE, "--items", "many").expect(1)
    assert "init failed: --items must be a whole number of at least 1." in result.err


def test_a_name_of_the_programs_is_refused(run, write):
    path = write("options = {{name = 'port'}}\nexecute = print\n")
    result = run("--custom-command-file", path).expect(1)
    assert result.err == f"{path} declares --port, which is an option of the program: rename it.\n"
    run("--custom-command-file", path, "--help").expect(0)


def test_a_broken_file_is_told_before_its_options_are_missed(run, write):
    path = write("options = {{name = 'items'}}\nx = = 1\n")
    result = run(f"--custom-command-file={path}", "--items", 3).expect(1)
    assert result.err == f"{path}:2: unexpected symbol near '='.\n"
