"""Looks at `ablate serve` in headless Chromium while a study trains: the curve grows on the page.

    serve.py ROOT

Chromium is driven through its debugging pipe, so that nothing but Python and Chromium is needed. The page may
say nothing on the console and ask for nothing but what the server has; it must follow the study from before its
first stage to its report, say so when the server is gone, and be of no use to anybody else.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ABLATE = Path(os.environ.get("ABLATE", "target/release/ablate")).resolve()
# Trainings of 800 steps, which on an idle machine take long enough to be watched, and rounds of 400.
STUDY = [".ci/cluster.toml", "--set", "train.tokens=409600"]
STEPS = 800 + 400
PATIENCE = 120
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --remote-debugging-pipe --window-size=1200,1600"
).split()


class Navigated(Exception):
    """The page that was asked has made room for another."""


class Chromium:
    """A browser with one page."""

    def __init__(self, scratch):
        to, self.out = os.pipe()
        self.inside, back = os.pipe()
        # The browser reads from descriptor 3 and writes to 4.
        resolver = "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        shell = 'exec "$@" 3<&{} 4>&{}'.format(to, back)
        command = ["bash", "-c", shell, "bash", "chromium", *FLAGS, resolver, f"--user-data-dir={scratch}"]
        self.child = subprocess.Popen(
            command, pass_fds=(to, back), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        os.close(to)
        os.close(back)
        self.buffer, self.events, self.number, self.session = b"", [], 0, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def read(self):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.inside], [], [], 30)
            assert ready, "Chromium says nothing"
            data = os.read(self.inside, 1 << 16)
            assert data, "Chromium has ended"
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                error = answer.get("error", {})
                if error.get("message") == "Inspected target navigated or closed":
                    raise Navigated
                assert not error, f"{method}: {error}"
                return answer["result"]
            self.events.append(answer)

    def ask(self, expression):
        """The value of an expression on the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, expression, wanted, what):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if wanted(value := self.ask(expression)):
                    return value
            except Navigated:
                # A link was followed just now: the next page is asked.
                value = None
            assert time.monotonic() < end, f"{what}: {value!r}"
            time.sleep(0.1)

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.until("document.readyState", lambda state: state == "complete", f"{url} is not there")

    def complaints(self):
        """What was said on the console or went wrong."""
        kinds = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [event["params"] for event in self.events if event.get("method") in kinds]

    def requests(self):
        sent = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return {event["params"]["request"]["url"] for event in sent}

    def stop(self):
        self.child.terminate()
        self.child.wait()


CHART = "Number(document.querySelector('#charts svg')?.dataset.{} ?? 0)"
STEP = CHART.format("step")
STATE = "document.getElementById('state').textContent"


def main(root):
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    command = [ABLATE, "serve", *STUDY, "--root", root, "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = server.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:"), url
    scratch = tempfile.mkdtemp()
    browser = Chromium(scratch)
    run = None
    try:
        browser.open(url)
        browser.until(STATE, lambda text: "nobody is at work" in text, "before the run")
        assert browser.ask(STEP) == 0

        run = subprocess.Popen(
            [ABLATE, "run", *STUDY, "--root", root, "--quiet", "--jobs", "2"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        drawn, busy = [], set()
        while run.poll() is None:
            # Long curves are thinned, so that it is their ends that grow.
            step = browser.ask(STEP)
            if step and (not drawn or step != drawn[-1]):
                drawn.append(step)
            busy.update(browser.ask("[...document.querySelectorAll('tr.running .stage')].map(e => e.textContent)"))
            time.sleep(0.1)
        assert run.returncode == 0, "the run failed"
        assert len(drawn) >= 3 and drawn == sorted(drawn), f"the curves do not grow: {drawn}"
        assert any(stage.startswith("train") for stage in busy), f"no training was seen at work: {busy}"

        browser.until(STATE, lambda text: text == "all 25 stages done · report", "after the run")
        assert browser.ask(STEP) == STEPS, "two rounds, one behind the other"
        rows = browser.ask("[...document.querySelectorAll('#runs tr')].map(e => e.className)")
        assert rows == ["done"] * 9, rows
        charts = browser.ask("[...document.querySelectorAll('.chart')].map(e => e.dataset.chart)")
        assert charts == ["train", "validation-en", "validation-zh"], charts
        # A variant that is not to be shown takes its curves with it.
        curves = "document.querySelectorAll('.chart:first-child path.curve').length"
        assert browser.ask(curves) == 9
        browser.ask("document.querySelector('#legend button').click()")
        assert browser.ask(curves) == 6
        words = browser.ask("document.body.innerText")
        for wrong in ("NaN", "undefined", "Infinity", "null"):
            assert wrong not in words, f"the page says {wrong}"
        outside = [asked for asked in browser.requests() if not asked.startswith((url, "data:", "about:"))]
        assert not outside, f"requests to {outside}"

        # The report, behind its link.
        browser.ask("document.querySelector('#state a').click()")
        browser.until("document.querySelectorAll('figure.plot svg').length", lambda n: n and n > 3, "the report")
        assert not browser.complaints(), browser.complaints()

        # What somebody slips into the page does not run, and reaches nobody.
        browser.open(url)
        browser.until(STATE, lambda text: text.startswith("all 25"), "again")
        assert not browser.complaints(), browser.complaints()
        blocked = browser.ask("""new Promise(done => {
            const found = new Set();
            document.addEventListener('securitypolicyviolation', event => {
                found.add(event.effectiveDirective);
                if (found.size === 4) done([...found].sort());
            });
            setTimeout(() => done([...found].sort()), 5000);
            const script = document.createElement('script');
            script.textContent = 'window.slipped = true';
            const style = document.createElement('style');
            style.textContent = 'body { display: none }';
            const image = document.createElement('img');
            image.src = 'http://192.0.2.1/a.png';
            document.head.append(script, style);
            document.body.append(image);
            fetch('http://192.0.2.1/').catch(() => {});
        })""")
        assert blocked == ["connect-src", "img-src", "script-src-elem", "style-src-elem"], blocked
        assert browser.ask("window.slipped ?? null") is None

        # A server that is gone.
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=10) == 0
        browser.until(STATE, lambda text: "does not answer" in text, "without a server")

        # A name of somebody else's that points here.
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = server.stdout.readline().strip().rstrip("/").rpartition(":")[2]
        browser.open(f"http://evil.example:{port}/")
        assert browser.ask("location.hostname") == "evil.example"
        said = browser.ask("document.body.innerText")
        assert "answers to no other name" in said, said
        print(f"the curves grew in {len(drawn)} pictures to step {drawn[-1]}; no console message, no request outside")
    finally:
        browser.stop()
        for child in (server, run):
            if child and child.poll() is None:
                child.terminate()
                child.wait()
        shutil.rmtree(scratch, ignore_errors=True)


main(Path(sys.argv[1]).resolve())
