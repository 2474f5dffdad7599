"""`python -m proof --binaries DIR --tools DIR [--template FILE | --planted]`: the deployment, shown without an account.

Invariant: exits 0 only when every step holds, no call was made that a role does not allow, and no role allows a call
that was never made and is not in `exceptions.yaml` with its reason.
"""

import argparse
import sys
import time
from pathlib import Path

import yaml

from checks.__main__ import INFRA
from checks.repository import Repository
from checks.template import read_sam

from . import planted
from .config import KINDS
from .grants import unneeded
from .scene import Scene
from .stack import Stack
from .story import STEPS


def prove(template: dict, tools: dict, scratch: Path) -> list:
    """Runs the story on a template; what does not hold."""
    stack = Stack(template, tools, scratch)
    try:
        return told(Scene(stack))
    finally:
        stack.end()


def told(scene: Scene) -> list:
    stack = scene.stack
    for step in STEPS:
        began = time.monotonic()
        name = step.__name__.replace("_", " ")
        try:
            step(scene)
        except Exception as broken:  # whatever went wrong, the functions' logs say more
            complaints = [line for function in stack.functions.values() for line in function.complaints()]
            return [f"{name}: {type(broken).__name__}: {broken}", *complaints]
        print(f"{time.monotonic() - began:6.1f} s  {name}", flush=True)
    found = stack.wrong()
    exceptions = yaml.safe_load((Path(__file__).parent / "exceptions.yaml").read_text()) or {}
    untold = [kind for kind in Repository(INFRA.parent).kinds() if kind not in KINDS]
    found += unneeded(stack.recorder.roles, exceptions, untold)
    for kind in untold:
        print(f"{kind}: is deployed and not told of anything here: proof/config.py has no receiver of this kind")
    for role in stack.recorder.roles.values():
        made = stack.recorder.made_by(role.id)
        print(f"{made:6} calls under {role.id}, within its {len(role.allowed)} grants, {len(role.used)} of them needed")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="proof")
    parser.add_argument("--binaries", type=Path, required=True, help="holds <function>/bootstrap")
    parser.add_argument("--tools", type=Path, required=True, help="holds tocsin and tocsin-stand-ins")
    parser.add_argument("--template", type=Path, default=INFRA / "template.yaml")
    parser.add_argument("--planted", action="store_true", help="show that faults in the template are found")
    options = parser.parse_args()
    tools = {
        "binaries": options.binaries.resolve(),
        "tocsin": options.tools.resolve() / "tocsin",
        "stand-ins": options.tools.resolve() / "tocsin-stand-ins",
        "layer": INFRA / "layer",
    }
    template = read_sam(options.template)
    scratch = INFRA.parent / "target/infra/proof"
    if options.planted:
        return planted.check(template, lambda faulty: prove(faulty, tools, scratch))
    found = prove(template, tools, scratch)
    print("\n".join(found) or "proven")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
