package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Disk;
import dev.seekr.distributed.Collectives;
import dev.seekr.distributed.Collectives.Agreed;
import dev.seekr.run.ProgressListener;
import dev.seekr.run.Run;
import dev.seekr.trainer.RunListener;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;

/** How a run is begun, or goes on, and what is printed of it. */
final class Runs {
  /**
   * Files that a batch script looks for, where it says so by these variables: what it is told of
   * exit statuses is not always what processes exited with.
   */
  private static final String STOPPED = "SEEKR_STOPPED_MARKER", FINISHED = "SEEKR_FINISHED_MARKER";

  private final PrintWriter out, notes;
  private final Faults faults;
  private final boolean json;

  /** Prints to the command's stdout; with {@code json} no more than the outcome. */
  Runs(CommandSpec command, boolean json) {
    this.json = json;
    faults = (Faults) command.commandLine().getExecutionExceptionHandler();
    out = command.commandLine().getOut();
    notes = json ? command.commandLine().getErr() : out;
  }

  /** How this program was called, as its launcher says. */
  static String program() {
    return Quoting.quoted(System.getProperty("seekr.program", "seekr"));
  }

  /** Why a run stopped, where no signal asked it to. */
  static String reason(Stop stop) {
    return stop.late() ? ", since its time is nearly over" : "";
  }

  /** {@code Run::open}, which goes on where there is a run, or {@code Run::anew}. */
  interface Opening {
    Run open(RunConfig config, Stop stop, Collectives all, List<RunListener> listeners);
  }

  /**
   * Trains to the end and prints what it came to.
   *
   * @param goOn the command that goes on when it is stopped
   * @throws Failure (75) when it is stopped
   */
  void train(Opening how, RunConfig config, Stop stop, String goOn) {
    Processes.run(faults, all -> train(how, config, stop, all, goOn));
  }

  private void train(Opening how, RunConfig config, Stop stop, Collectives all, String goOn) {
    try (var progress = new ProgressListener();
        var run = how.open(config, stop, all, List.of(progress))) {
      if (!all.first()) {
        follow(run);
        return;
      }
      if (run.finished()) {
        notes.println(config.run().out() + ": the run is finished; train --fresh begins it anew");
        notes.flush();
        print(config, Outcomes.of(run.folder()));
        leave(FINISHED, "finished");
        return;
      }
      run.notes().forEach(notes::println);
      notes.flush();
      try {
        var outcome = run.train();
        notes.println();
        print(config, outcome);
        if (!run.cost().isEmpty()) notes.println(run.cost());
        notes.flush();
        leave(FINISHED, "finished");
      } catch (Stop.Stopped stopped) {
        stopped("stopped at %s%s; go on with: %s".formatted(run.place(), reason(stop), goOn));
      }
    }
  }

  /** What another process than the first does: all of it but speak. */
  private static void follow(Run run) {
    if (run.finished()) return;
    try {
      run.train();
    } catch (Stop.Stopped stopped) {
      if (System.getenv(STOPPED) == null) throw new Agreed(Failure.Exit.RETRY, "stopped", false);
    }
  }

  /** Says it by the exit status or, where a batch script looks for one, by a file. */
  private void stopped(String what) {
    if (System.getenv(STOPPED) == null) throw new Agreed(Failure.Exit.RETRY, what, true);
    leave(STOPPED, what);
    notes.println(what);
    notes.flush();
  }

  private static void leave(String variable, String what) {
    String file = System.getenv(variable);
    if (file != null) Disk.write(Path.of(file), what + "\n");
  }

  private void print(RunConfig config, RunListener.Outcome outcome) {
    if (json) JsonOutput.print(out, Outcomes.json(config, outcome));
    else Outcomes.print(out, config, outcome);
    out.flush();
  }
}
