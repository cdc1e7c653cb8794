"""What is taken as an image."""

from os import PathLike
from typing import IO, Any, Protocol, Union

import numpy as np
from numpy.typing import NDArray


class PillowImage(Protocol):
    """An image of Pillow."""

    @property
    def mode(self) -> str: ...
    def getexif(self) -> Any: ...


Image = Union[str, PathLike[str], bytes, bytearray, IO[bytes], NDArray[np.uint8], PillowImage]
"""A path, the bytes of a file, a file opened with "rb", an array (H, W), (H, W, 3) or (H, W, 4), or an image of Pillow."""
