"""Makes sample.parquet with pyarrow and Pillow: five PNG images in the layout of Hugging Face's library."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def png(index):
    colour = (200 + index, 0, 7) if index % 2 == 0 else (0, 200 + index, 7)
    image = Image.new("RGB", (6, 8), colour)
    image.putpixel((5, 7), (1, 2, 3))
    file = io.BytesIO()
    image.save(file, "PNG")
    return {"bytes": file.getvalue(), "path": f"{index}.png"}


features = {"image": {"_type": "Image"}, "label": {"names": ["red", "green"], "_type": "ClassLabel"}}
schema = pa.schema(
    [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.int64())],
    metadata={"huggingface": json.dumps({"info": {"features": features}})},
)
rows = {"image": [png(index) for index in range(5)], "label": [index % 2 for index in range(5)]}
pq.write_table(pa.table(rows, schema=schema), "sample.parquet", row_group_size=2)
for version in ["1.0", "2.0"]:
    name = f"zstd-{version[0]}.parquet"
    pq.write_table(pa.table(rows, schema=schema), name, row_group_size=3, compression="zstd", data_page_version=version)
