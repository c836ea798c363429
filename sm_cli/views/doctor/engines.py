"""The engines that may carry hints between workers: which are installed, and whether the chosen one can be reached."""

from __future__ import annotations

from sm_cli.carriers.open import CarrierSettings, is_installed, list_names, open_carrier
from sm_cli.carriers.port import Reachable
from sm_cli.errors import SmError
from sm_cli.views.doctor.findings import DoctorFinding, Severity

_CHECK = "engines"


def examine_engines(name: str | None, settings: CarrierSettings) -> list[DoctorFinding]:
    """One finding. name: of the engine that the settings or the environment choose; None: none is chosen."""
    if name is None:
        there = [each for each in list_names() if is_installed(each)]
        text = f"none is chosen; installed: {', '.join(there)}" if there else "none is chosen, and none is installed"
        return [DoctorFinding(_CHECK, Severity.FINE, text)]
    try:
        carrier = open_carrier(name, settings)
        if isinstance(carrier, Reachable):
            carrier.reach()
    except SmError as e:
        text = ". ".join(part.removesuffix(".") for part in (e.message, e.hint) if part)
        return [DoctorFinding(_CHECK, Severity.BROKEN, text)]
    return [DoctorFinding(_CHECK, Severity.FINE, f"{name}: {carrier.name} answers")]
