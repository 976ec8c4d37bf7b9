"""What a test can call inside Krita (see ``driven.py``). Runs on Krita's own thread; Python 3.8."""

from krita import Krita


def quit_krita():
    for document in Krita.instance().documents():
        document.setModified(False)
    Krita.instance().action("file_quit").trigger()


def close_documents():
    for document in Krita.instance().documents():
        document.waitForDone()
        document.setModified(False)
        document.close()
    yield


def version():
    return Krita.instance().version()
