"""`python -m checks.archives BUILT`: what `sam build` left in a folder is what Lambda needs. Run with SAM's own Python.

Invariant: looked at as SAM uploads it, so that a link that is not followed is found.
"""

import sys
import zipfile
from pathlib import Path

from samcli.lib.package.utils import make_zip, zip_folder

from .__main__ import INFRA
from .template import read_sam


def names_in(folder: Path) -> set:
    with zip_folder(str(folder), make_zip) as (archive, _):
        return {entry.filename for entry in zipfile.ZipFile(archive).infolist() if entry.file_size > 0}


def wrong(built: Path) -> list:
    found = []
    for id, resource in read_sam(built / "template.yaml")["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function" and names_in(built / properties["CodeUri"]) != {"bootstrap"}:
            found.append(f"{id}: its archive is not one file, `bootstrap`")
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            top = INFRA.parent
            wanted = {f"tocsin/{path.relative_to(top)}" for path in (top / "templates").rglob("*.hbs")}
            holds = names_in(built / properties["ContentUri"])
            if holds != wanted | {"tocsin/tocsin.yaml"}:
                found.append(f"{id}: holds {sorted(holds)}, not the config and every template")
    return found


def main() -> int:
    found = wrong(Path(sys.argv[1]))
    print("\n".join(found) or "every archive is whole")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
