"""Keep values of any JSON type for a project; a secret is encrypted where it is stored.

It prints:

    theme: 'dark' (str)
    retries: 42 (int)
    verbose: True (bool)
    timeout: 60.0 (float)
    paths: {'src': ['a', 'b']} (dict)
    missing: 'default' (str)
    secret: 'hunter2' (str), stored in the clear: False
    changed only once: True, False
"""

import os

from surf_data import specify
from surf_data.kernel.crypto import new_key

database_url = os.environ.get("DATABASE_URL", "embedded:")
with specify.open(database_url, encryption_keys=new_key()) as data:
    data.migrations.up()
    alice = data.users.create_user("alice", "alice@example.com", b"hashed")
    project = data.projects.create_project("Surf API", "surf-api", alice.id)
    values = {"theme": "dark", "retries": 42, "verbose": True, "timeout": 60.0, "paths": {"src": ["a", "b"]}}
    for key, value in values.items():
        data.configuration.set_config(project.id, key, value)
    for key in (*values, "missing"):
        found = data.configuration.get_config(project.id, key, "default")
        print(f"{key}: {found!r} ({type(found).__name__})")
    row = data.configuration.set_config(project.id, "secret", "hunter2", encrypted=True)
    secret = data.configuration.get_config(project.id, "secret")
    print(f"secret: {secret!r} ({type(secret).__name__}), stored in the clear:", "hunter2" in row.value)
    changes = [data.configuration.compare_and_set_config(project.id, "retries", 42, 43) for _ in range(2)]
    print("changed only once:", ", ".join(map(str, changes)))
