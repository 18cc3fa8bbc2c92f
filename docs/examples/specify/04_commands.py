"""Record commands while they run, and find those whose process has died.

It prints:

    running
    success in >= 50 ms: True
    failed: exit 2
    stored: deploy --token ***
    statistics: total 3, success rate 0.67
    orphans: deploy
    then: timeout
"""

import os
import time

from surf_data.specify import CommandRepository, close_db, get_engine, init_db

init_db(os.environ.get("DATABASE_URL", "embedded:"))
# On the engine each call is a transaction by itself, so that others see a command while it runs.
commands = CommandRepository(get_engine())
build = commands.start_command("build", "--fast")
print(build.status.value)
time.sleep(0.05)
done = commands.complete_command(build.id, exit_code=0)
print(f"{done.status.value} in >= 50 ms:", done.duration_ms >= 50)
with commands.running("check"):
    pass
check = commands.start_command("check")
print("failed: exit", commands.complete_command(check.id, exit_code=2, stderr="no such file").exit_code)

statistics = commands.queries.get_command_statistics()
deploy = commands.start_command("deploy", "--token hunter2", lease_seconds=0.01)
print("stored:", deploy.name, deploy.args)
print(f"statistics: total {statistics['total']}, success rate {statistics['success_rate']:.2f}")
time.sleep(0.02)
print("orphans:", ", ".join(each.name for each in commands.reap_orphans()))
print("then:", commands.get(deploy.id).status.value)
close_db()
