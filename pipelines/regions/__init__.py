"""The bundled regions, and how a region is found by name or folder.

Belongs here: the regions' folders and the way to them. Does not belong here: any code of a region;
a region is data.
"""

from __future__ import annotations

from pathlib import Path

from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from declarations.loader import load_region

BUNDLED = Path(__file__).parent
_ROOMS = BUNDLED.parent.parent
CONTRACTS = _ROOMS / "expectations" / "contracts"
CATALOGUE = _ROOMS / "indicators" / "catalogue"


def bundled() -> dict[str, Path]:
    """Return the bundled regions by name."""
    return {p.parent.name: p.parent for p in sorted(BUNDLED.glob("*/region.yaml"))}


def find_region(name: str) -> Path:
    """Return the folder of a region given by bundled name or by folder.

    Raises
    ------
    ConfigurationError
        If it is neither.
    """
    known = bundled()
    if name in known:
        return known[name]
    folder = Path(name)
    if (folder / "region.yaml").is_file():
        return folder
    raise ConfigurationError(
        f"There is no region {name}: it is neither bundled ({', '.join(known)}) nor a folder with "
        "a region.yaml",
        "Name one of these, or make a folder with 'lsoalink init DIR'",
    )


def open_region(name: str) -> RegionDeclarations:
    """Read and check a region with the bundled contracts and indicators at hand."""
    return load_region(find_region(name), contract_library=CONTRACTS, indicator_library=CATALOGUE)


def landing_of(declared: RegionDeclarations, data_dir: Path) -> Path:
    """Return the landing folder: in the region's own folder, or in the data folder if bundled."""
    if declared.root.resolve().parent == BUNDLED.resolve():
        return data_dir / declared.region.id / "landing"
    return declared.root / "landing"
