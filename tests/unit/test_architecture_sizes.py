"""Limits on the size of modules, functions and ports."""

import ast

from tests.unit.sources import ROOT, functions, modules, shipped

MAX_MODULE, MAX_FUNCTION, MAX_PARAMETERS, MAX_APP = 400, 40, 6, 30
MAX_PORT_MODULE, MAX_PORT_METHODS = 120, 8


def test_modules_and_functions_stay_short() -> None:
    broken = [
        f"{module.name}: {lines} lines" for module in modules() if (lines := module.text.count("\n")) > MAX_MODULE
    ]
    for module in modules():
        for each in functions(module):
            length = (each.end_lineno or each.lineno) - each.lineno + 1
            if length > MAX_FUNCTION:
                broken.append(f"{module.name}:{each.lineno} {each.name}: {length} lines")
    assert broken == []
    assert (ROOT / "app.py").read_text(encoding="utf-8").count("\n") <= MAX_APP


def test_functions_have_few_parameters() -> None:
    broken = []
    for module in modules():
        for each in functions(module) if module.part != "tests" else ():
            parameters = [*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs]
            count = len([one for one in parameters if one.arg not in {"self", "cls"}])
            if count > MAX_PARAMETERS:
                broken.append(f"{module.name}:{each.lineno} {each.name}: {count} parameters")
    assert broken == []


def test_ports_stay_small() -> None:
    """A test double or a second adapter has to implement a whole protocol, so a protocol stays one capability."""
    broken = []
    for module in shipped():
        if module.part != "ports":
            continue
        if (lines := module.text.count("\n")) > MAX_PORT_MODULE:
            broken.append(f"{module.name}: {lines} lines")
        for protocol in (node for node in module.tree.body if isinstance(node, ast.ClassDef)):
            methods = sum(isinstance(node, ast.FunctionDef) for node in protocol.body)
            if methods > MAX_PORT_METHODS:
                broken.append(f"{module.name}:{protocol.lineno} {protocol.name}: {methods} methods")
    assert broken == []
