"""A running aitrade: engine, chart worker and page server on a data folder of their own, kept alive by a supervisor."""

import threading
import time
from contextlib import contextmanager, suppress

import psutil

from aitrade.core.config import load
from aitrade.engine.settings import EngineSettings
from aitrade.ops.supervisor import Supervisor
from aitrade.ui.processes import page_children, page_link


class Running:
    """What a test may ask of it and do to it."""

    def __init__(self, configuration, supervisor):
        self.configuration = configuration
        self.home = configuration.home
        self.supervisor = supervisor
        self.origin = self.link().partition("/login")[0]

    def link(self):
        """A link that logs in, once."""
        return page_link(self.configuration)

    def pid(self, name):
        """The process id of a child: engine, charts or page."""
        return next(running.pid for running in self.supervisor._children if running.child.name == name)

    def kernels(self):
        """The processes of the page's kernels, waiting ones included."""
        return psutil.Process(self.pid("page")).children(recursive=True)

    def kill(self, name):
        """End a child as a crash would, and wait until it is dead: a signal takes its time on a large process."""
        process = psutil.Process(self.pid(name))
        process.kill()
        with suppress(psutil.NoSuchProcess):
            while process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.002)

    @contextmanager
    def frozen(self):
        """Every kernel stands still while the block runs."""
        kernels = self.kernels()
        for kernel in kernels:
            with suppress(psutil.NoSuchProcess):  # of a page that was just closed
                kernel.suspend()
        try:
            yield
        finally:
            for kernel in kernels:
                with suppress(psutil.NoSuchProcess):
                    kernel.resume()


@contextmanager
def running(home, **more):
    """Run it while the block does: a simulated market from 10:30, at ten times the market's pace."""
    configuration = load(home=home, page_port=0)
    settings = EngineSettings(**{"home": str(home), "start": "10:30", "speed": 10, **more})
    supervisor = Supervisor(settings, page_children(configuration), lambda _: None)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    try:
        yield Running(configuration, supervisor)
    finally:
        supervisor._stopping = True
        watching.join()
        supervisor.stop()
