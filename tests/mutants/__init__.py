"""Would the tests notice? Changes of one line that would make a result wrong in silence, each with a test that fails.

``mutants.toml`` lists them, ``table`` reads it, ``run`` applies them one by one to a copy of the library and
runs the test of each in a process of its own (``attempt``).
"""
