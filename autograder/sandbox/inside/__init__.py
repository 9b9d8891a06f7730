"""What runs inside the sandbox; imports nothing of the autograder.

A warm process forks one sealed Jupyter kernel for each notebook. `autograder.sandbox.outside` shows the sandbox this
folder and nothing else of the autograder, and starts it there with `python -m inside`. Steps:

1. `preparation`: give up root if it has it, import what notebooks import, make IPython's `shell` and ipykernel's
   `application` (or, where that fails with the release that is installed, `plain`), then import the unit's library
   once the owner says that it is there. `server` lets users in by the door.
2. For each request of a user, fork a `keeper`. The keeper makes namespaces of its own (user, mount, process, network,
   IPC), lays a scratch folder of limited size over the run's folder, and forks the kernel as process 1 of its
   process namespace, so that whatever the kernel starts dies with it.
3. The `kernel` gives up every capability, closes the file system with Landlock, binds its sockets, has the keeper
   hide the folder that they lie in, sets its resource limits (all of these are `sealing`), and only then runs a
   learner's code.
4. The keeper watches memory and process count, and when the kernel is gone copies the files that the
   notebook wrote back to the run's folder.

The owner starts and ends the warm process; users are the processes that grade, each with kernels of its own that end
with it. Requests and replies are JSON datagrams; along with a request to start come, as file descriptors, the judge's
socket and the end of a pipe on which the kernel tells that its own sockets are bound.
"""
