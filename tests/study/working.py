"""Jobs for the tests of workers: processes find them by this module's name."""

import os
import signal
import time


def double(number):
    if number < 0:
        os._exit(-number)
    if number == 666:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * 2


def process(_number):
    time.sleep(0.05)
    return os.getpid()


def slow(seconds):
    time.sleep(seconds)
    return seconds
