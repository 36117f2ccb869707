package dev.seekr;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Another Java process with the class path of this one, which is talked to line by line: so that
 * tests of locks, signals and surroundings wait for words and not for times. It is killed when it
 * is closed.
 */
public final class Child implements AutoCloseable {
  private final Process process;
  private final BufferedReader out, err;
  private final PrintWriter in;

  /** Starts {@code main}; a variable of {@code environment} that is "" is taken away. */
  public Child(
      Map<String, String> environment, List<String> options, Class<?> main, String... arguments) {
    this(hearing(command(options, main, arguments)), environment);
  }

  /** Whatever the tests' own process was told to ignore, as under nohup. */
  private static List<String> hearing(List<String> command) {
    var all = new ArrayList<>(List.of("env", "--default-signal=HUP,INT,TERM,USR1"));
    all.addAll(command);
    return all;
  }

  public Child(Class<?> main, String... arguments) {
    this(Map.of(), List.of(), main, arguments);
  }

  /** Starts a command line, such as a shell that becomes a {@link #command}. */
  public Child(List<String> command, Map<String, String> environment) {
    var builder = new ProcessBuilder(command);
    environment.forEach(
        (name, value) -> {
          if (value.isEmpty()) builder.environment().remove(name);
          else builder.environment().put(name, value);
        });
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out = process.inputReader(StandardCharsets.UTF_8);
    err = process.errorReader(StandardCharsets.UTF_8);
    in = new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true);
  }

  /** The command line that runs {@code main}. */
  public static List<String> command(List<String> options, Class<?> main, String... arguments) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var command =
        new ArrayList<>(
            List.of(
                java,
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow"));
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return command;
  }

  public long pid() {
    return process.pid();
  }

  /** The next line of its output; null: there is none any more. */
  public String out() {
    return line(out);
  }

  /** The next line of its messages; null: there is none any more. */
  public String err() {
    return line(err);
  }

  private static String line(BufferedReader from) {
    try {
      return from.readLine();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All messages that are still to come. */
  public List<String> messages() {
    return err.lines().toList();
  }

  public void say(String line) {
    in.println(line);
  }

  /** Sends a signal: TERM, USR1, ... */
  public void signal(String name) {
    try {
      int status = new ProcessBuilder("kill", "-" + name, "" + pid()).start().waitFor();
      if (status != 0) throw new IllegalStateException("kill -" + name + ": status " + status);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** There is nothing more to say. */
  public void endInput() {
    in.close();
  }

  /** Waits for its end, and says with which status. */
  public int exit() {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    exit();
  }
}
