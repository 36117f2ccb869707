package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.backends.Backends;
import dev.seekr.distributed.Collectives;
import dev.seekr.distributed.Collectives.Agreed;
import dev.seekr.distributed.Launch;
import dev.seekr.distributed.Mpi;
import dev.seekr.distributed.Wire;
import dev.seekr.distributed.WireCollectives;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * The processes that a command runs in, as whoever started it says in the environment. A failure is
 * told once: one that all know of by the first process, and any other by the process that has it,
 * which then ends all, since the others would wait for it for ever.
 */
final class Processes {
  /** What the first process is left to say the same first, where all fail alike. */
  private static final Duration COURTESY = Duration.ofSeconds(2);

  private Processes() {}

  /** Does {@code work} in each process; {@code faults} say what went wrong. */
  static void run(Faults faults, Consumer<Collectives> work) {
    Launch launch = Launch.of(System.getenv());
    if (launch.ranks() == 1) {
      work.accept(Collectives.ALONE);
      return;
    }
    var all = new WireCollectives(open(launch), launch.localRank());
    try {
      work.accept(all);
      all.close();
    } catch (Agreed agreed) {
      // Said before any process can leave, for mpirun ends the others of one that has.
      faults.report(agreed, System.err);
      all.close();
      throw new Agreed(agreed.exit, agreed.getMessage(), false);
    } catch (Throwable fault) {
      end(faults, all, fault);
    }
  }

  /** Throws Failure (78) where several processes were started for a command that one does. */
  static void requireOne(String command) {
    Launch launch = Launch.of(System.getenv());
    if (launch.ranks() > 1)
      throw new Agreed(
          Failure.Exit.CONFIG,
          "%s is done by one process, and %s started %d: start it alone, or a job for each run (docs/cluster.md)"
              .formatted(command, launch.launcher(), launch.ranks()),
          launch.rank() == 0);
  }

  /** By MPI, or by NCCL alone where that is asked for. */
  private static Wire open(Launch launch) {
    try {
      return Backends.wire(launch).orElseGet(() -> Mpi.open(launch));
    } catch (Failure failure) {
      throw new Agreed(failure.exit, failure.getMessage(), launch.rank() == 0);
    }
  }

  private static void end(Faults faults, Collectives all, Throwable fault) {
    try {
      if (!all.first()) Thread.sleep(COURTESY);
    } catch (InterruptedException e) {
      // It is said at once.
    }
    System.out.flush();
    String who = "process %d of %d: ".formatted(all.rank(), all.ranks());
    if (fault instanceof Failure f) fault = new Failure(f.exit, who + f.getMessage(), f);
    else System.err.print(who);
    all.abort(faults.report(fault, System.err));
  }
}
