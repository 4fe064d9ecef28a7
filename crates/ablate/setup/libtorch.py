"""Takes libtorch's headers and libraries out of PyPI's wheels: libtorch.py WHEELS FOLDER [--cuda]."""

import pathlib
import shutil
import sys
import zipfile

# What the CPU needs. The wheel's libtorch.so is left out: it asks for libtorch_cuda.so.
CPU = {"libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.12", "libcupti.so.12"}


def main():
    wheels, folder = map(pathlib.Path, sys.argv[1:3])
    everything = "--cuda" in sys.argv[3:]
    lib = folder / "lib"
    lib.mkdir(parents=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                parts = name.split("/")
                if name.endswith("/"):
                    continue
                if parts[:2] == ["torch", "include"]:
                    to = folder.joinpath("include", *parts[2:])
                elif "lib" in parts[1:-1] and ".so" in parts[-1]:
                    if not everything and parts[-1] not in CPU:
                        continue
                    to = lib / parts[-1]
                else:
                    continue
                to.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, open(to, "wb") as out:
                    shutil.copyfileobj(source, out, 1 << 20)
    missing = sorted(CPU - {path.name for path in lib.iterdir()})
    if missing:
        sys.exit(f"the wheels in {wheels} lack {', '.join(missing)}")
    # The linker asks for it by this name.
    (lib / "libgomp.so").symlink_to("libgomp.so.1")


main()
