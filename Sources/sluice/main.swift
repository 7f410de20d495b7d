import Glibc
import SluiceCLI

exit(Program.run())
