package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.distributed.Collectives;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what a command throws into a message on stderr and an exit status. */
final class Faults implements IParameterExceptionHandler, IExecutionExceptionHandler {
  private final BooleanSupplier debug;

  Faults(BooleanSupplier debug) {
    this.debug = debug;
  }

  /** Wrong use: what is wrong, the nearest option if there is one, and where help is. */
  @Override
  public int handleParseException(ParameterException fault, String[] args) {
    CommandLine command = fault.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("seekr: " + fault.getMessage() + suggestion(fault));
    err.printf("Try '%s --help'.%n", command.getCommandSpec().qualifiedName());
    err.flush();
    return Exit.USAGE.code;
  }

  private static String suggestion(ParameterException fault) {
    List<String> nearest =
        fault instanceof UnmatchedArgumentException unmatched
            ? unmatched.getSuggestions()
            : List.of();
    return nearest.isEmpty() ? "" : "; did you mean '%s'?".formatted(nearest.getFirst());
  }

  @Override
  public int handleExecutionException(Exception fault, CommandLine command, ParseResult parsed) {
    return report(fault, System.err);
  }

  int report(Throwable fault, PrintStream err) {
    if (fault instanceof Collectives.Agreed agreed && !agreed.said) return agreed.exit.code;
    if (fault instanceof Failure failure) {
      err.println("seekr: " + failure.getMessage().strip().replace("\n", "\nseekr: "));
      if (debug.getAsBoolean()) {
        fault.printStackTrace(err);
      }
      return failure.exit.code;
    }
    if (fault instanceof OutOfMemoryError memory) {
      err.printf(
          "seekr: out of memory (%s). Lower train.micro_tokens or train.batch, or allow more, as in "
              + "SEEKR_JAVA_OPTS=-Xmx4g for Java's heap.%n",
          memory.getMessage());
    } else {
      err.printf(
          "seekr: unexpected error: %s. This is a defect of Seekr: please report it, with what "
              + "SEEKR_DEBUG=1 (or --debug) prints.%n",
          fault);
    }
    if (debug.getAsBoolean()) {
      fault.printStackTrace(err);
    }
    return Exit.INTERNAL.code;
  }
}
