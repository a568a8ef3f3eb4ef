"""Code digests: comments change nothing, reachable code changes something."""

import pytest

import switchrank.core.digest as digest


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, text in {
        "alpha/__init__.py": "",
        "alpha/one.py": '"""Doc."""\nfrom switchrank.shared import help\nimport switchrank.core.errors\n'
        "def run():\n    import switchrank.beta.two\n",
        "beta/__init__.py": "",
        "beta/two.py": "x = open('words.txt'), open('kinds.yaml')\n",
        "beta/words.txt": "a",
        "beta/kinds.yaml": "a: 1\nb: 2\n",
        "beta/other.txt": "a",
        "errors.py": "w = 1\n",
        "beta/far.py": "y = 1\n",
        "shared.py": "def help():\n    return 1\n",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(digest, "PACKAGE", tmp_path)
    return tmp_path


def changed(package, name, text):
    before = digest.code_digest("alpha.one")
    (package / name).write_text(text)
    digest._parsed.cache_clear()
    return digest.code_digest("alpha.one") != before


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("shared.py", "# why\ndef help():\n    '''Says so.'''\n    return 1\n", False),
        ("shared.py", "def help():\n    return 2\n", True),
        ("beta/two.py", "x = 2\n", True),
        ("beta/far.py", "y = 2\n", False),
        ("beta/words.txt", "data", True),
        ("beta/other.txt", "data", False),
        ("beta/kinds.yaml", "a: 1  # why\nb:   2\n", False),
        ("beta/kinds.yaml", "b: 2\na: 1\n", True),
        ("beta/kinds.yaml", "a: 1\nb: 3\n", True),
        ("errors.py", "w = 2\n", False),
        ("alpha/other.py", "z = 1\n", False),
    ],
)
def test_only_code_and_data_that_outputs_can_depend_on_count(package, name, text, expected):
    assert changed(package, name, text) is expected


@pytest.mark.usefixtures("package")
def test_an_unknown_module_is_an_error():
    with pytest.raises(ModuleNotFoundError, match=r"alpha\.three"):
        digest.code_digest("alpha.three")


def test_values_with_other_key_order_have_the_same_digest():
    assert digest.value_digest({"a": 1, "b": [2]}) == digest.value_digest({"b": [2], "a": 1})


@pytest.mark.parametrize("other", [{"a": 2, "b": [2]}, {"a": 1, "b": 2}, {"a": 1, "b": [2], "c": None}, {"b": [2]}])
def test_values_that_differ_have_digests_that_differ(other):
    assert digest.value_digest({"a": 1, "b": [2]}) != digest.value_digest(other)
