"""`make run`: the same as `parvis demo`, without loading the whole portal first only to start it."""

import os
import sys

from portal.embedded import supervisor

sys.exit(supervisor.run(int(os.environ.get("PORT", "8000"))))
