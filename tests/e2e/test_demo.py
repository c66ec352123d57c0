"""deploy/demo, without its installing and building: the script ends well, and the page stays until Ctrl-C."""
import contextlib
import http.client
import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from harness import DATASET, PATIENCE_S, TOP, bot_program, main, slacksim_program, world_program

PLAY = os.path.join(TOP, "deploy", "demo.d", "play.py")


class Demo(unittest.TestCase):
    def setUp(self):
        # A build folder as play.py wants it, whatever the programs' places are.
        self.build = tempfile.mkdtemp(prefix="hm-e2e-demo-")
        self.addCleanup(shutil.rmtree, self.build, ignore_errors=True)
        for name, path in (("hausmeister", bot_program()), ("slacksim", slacksim_program()), ("world", world_program())):
            os.symlink(path, os.path.join(self.build, name))
        os.symlink(os.path.join(os.path.dirname(world_program()), "bin"), os.path.join(self.build, "bin"))

    def command(self, *words):
        return [sys.executable, "-B", PLAY, "--build", self.build, *words]

    def test_the_script(self):
        done = subprocess.run(self.command("--script"), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S + 60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"committed-dataset/{DATASET}", done.stdout)
        self.assertIn("the story ended as it should", done.stdout)
        # An alarm, from its card to its mark.
        for part in ("Airflow failure: cantareira-stable itaipu-other-flaky-datasets", "Looked by itself", "[Restart the task]",
                     "dags/prod-dagao/clearTaskInstances", "chose *Restart the task*", ": *done*", "the alarm is marked"):
            self.assertIn(part, done.stdout)
        self.assertEqual(done.stderr, "")

    def test_alarms_are_about_the_demos_transaction(self):
        """What is remembered of one is the default of what is typed next."""
        folder = os.path.dirname(PLAY)
        alarm = runpy.run_path(os.path.join(folder, "alarm.py"))
        with open(PLAY) as file:
            transaction = re.search(r'^TRANSACTION = "(.*)"$', file.read(), re.M)[1]
        for shape in ("text", "attachment", "blocks"):
            self.assertIn(transaction, alarm["body_of"](alarm["samples"]()[f"run-started-{shape}"]["message"]))

    def test_the_script_says_no_when_the_bot_does_not_run(self):
        os.unlink(os.path.join(self.build, "hausmeister"))
        os.symlink("/bin/false", os.path.join(self.build, "hausmeister"))
        done = subprocess.run(self.command("--script"), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S + 60)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("hausmeister has ended by itself", done.stderr)
        folder = re.search(r"the logs are in (\S+)", done.stderr)[1]
        shutil.rmtree(os.path.join(os.getcwd(), folder))

    def start(self, *words):
        """The demo with its page; (process, address)."""
        process = subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, start_new_session=True)
        self.addCleanup(self.end, process)
        for line in process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if found:
                return process, int(found[1])
        raise AssertionError(process.communicate()[1])

    @staticmethod
    def end(process):
        process.kill()
        process.communicate()

    def test_the_page_stays_until_it_is_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process, port = self.start()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/?user=U0ANA&channel=C0OPS")
            response = connection.getresponse()
            self.assertEqual(response.status, 200)
            self.assertIn("<html", response.read().decode())
            connection.close()
            process.send_signal(number)
            _, err = process.communicate(timeout=PATIENCE_S + 60)
            self.assertEqual(process.returncode, 0, err)
            with self.assertRaises(OSError, msg="something still listens"), socket.create_connection(("127.0.0.1", port), 1):
                pass

    def test_ports(self):
        with contextlib.closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = subprocess.run(self.command("--port", str(taken.getsockname()[1])), stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=PATIENCE_S + 60)
            self.assertEqual(done.returncode, 1)
            self.assertIn("is taken", done.stderr)
            folder = re.search(r"the logs are in (\S+)", done.stderr)[1]
            shutil.rmtree(os.path.join(os.getcwd(), folder))
            wanted = taken.getsockname()[1]
        process, port = self.start("--port", str(wanted))
        self.assertEqual(port, wanted)
        # Two at a time: the second one finds another port.
        other, other_port = self.start()
        third, third_port = self.start()
        self.assertEqual(len({port, other_port, third_port}), 3)
        for one in (process, other, third):
            one.send_signal(signal.SIGINT)
            one.communicate(timeout=PATIENCE_S + 60)
            self.assertEqual(one.returncode, 0)


if __name__ == "__main__":
    main()
