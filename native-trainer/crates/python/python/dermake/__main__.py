"""``python -m dermake``: runs the program that came with this package."""

import os
import subprocess
import sys
import sysconfig

from . import Error


def program():
    """Returns the path of the program ``dermake``."""
    name = "dermake" + (sysconfig.get_config_var("EXE") or "")
    schemes = [None] + [scheme for scheme in sysconfig.get_scheme_names() if scheme.endswith("_user")]
    for scheme in schemes:
        folder = sysconfig.get_path("scripts", scheme) if scheme else sysconfig.get_path("scripts")
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    raise Error(f"the program {name} is not where pip puts programs; install the wheel again: pip install --force-reinstall dermake")


def main():
    try:
        path = program()
    except Error as error:
        sys.exit(f"error: {error}")
    arguments = [path, *sys.argv[1:]]
    if os.name == "posix":
        os.execv(path, arguments)
    sys.exit(subprocess.run(arguments).returncode)


if __name__ == "__main__":
    main()
