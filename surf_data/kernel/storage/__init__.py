"""Objects on local disk, in S3 or in Azure, behind one protocol. Knows no table and no domain."""

from surf_data.kernel.storage.cloud import CloudBody, CloudStore
from surf_data.kernel.storage.content import (
    HEAD_BYTES,
    canonical_type,
    compressed,
    decompressed,
    is_image,
    is_text,
    matches,
    sniff,
)
from surf_data.kernel.storage.images import Dimensions, image_size
from surf_data.kernel.storage.local import LocalBody, LocalStore
from surf_data.kernel.storage.objects import (
    CHUNK,
    Attributes,
    Body,
    ObjectInfo,
    ObjectStore,
    Source,
    checked_key,
    pieces,
)
from surf_data.kernel.storage.providers import azure_store, s3_store
from surf_data.kernel.storage.signing import SignedAccess, UrlSigner

__all__ = [
    "CHUNK",
    "HEAD_BYTES",
    "Attributes",
    "Body",
    "CloudBody",
    "CloudStore",
    "Dimensions",
    "LocalBody",
    "LocalStore",
    "ObjectInfo",
    "ObjectStore",
    "SignedAccess",
    "Source",
    "UrlSigner",
    "azure_store",
    "canonical_type",
    "checked_key",
    "compressed",
    "decompressed",
    "image_size",
    "is_image",
    "is_text",
    "matches",
    "pieces",
    "s3_store",
    "sniff",
]
