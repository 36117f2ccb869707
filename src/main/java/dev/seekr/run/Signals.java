package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.Stop;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/**
 * Signals that ask a run to stop: TERM, INT, USR1 and HUP. The first lets it end its step and save
 * itself; another one, a second later or more, ends the process at once, which loses no more than
 * was done since the last checkpoint. A signal that the process was told to ignore when it was
 * started stays ignored.
 *
 * <p>Java has no other way to hear of signals than {@code sun.misc.Signal}, which is found by name
 * since the compiler warns of it.
 */
public final class Signals {
  private static final String[] NAMES = {"TERM", "INT", "USR1", "HUP"};

  private Signals() {}

  /** From now on signals ask {@code stop}. */
  public static void to(Stop stop) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      InvocationHandler heard =
          (proxy, method, arguments) ->
              switch (method.getName()) {
                case "handle" -> {
                  hear(stop, signal.getMethod("getName").invoke(arguments[0]).toString());
                  yield null;
                }
                case "hashCode" -> System.identityHashCode(proxy);
                case "equals" -> proxy == arguments[0];
                default -> "Seekr's handler of signals";
              };
      Object handles =
          Proxy.newProxyInstance(Signals.class.getClassLoader(), new Class<?>[] {handler}, heard);
      Object ignored = handler.getField("SIG_IGN").get(null);
      var handle = signal.getMethod("handle", signal, handler);
      for (String name : NAMES) {
        Object one = signal.getConstructor(String.class).newInstance(name);
        Object before = handle.invoke(null, one, handles);
        if (before == ignored) handle.invoke(null, one, ignored);
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java cannot hear signals", e);
    }
  }

  private static void hear(Stop stop, String name) {
    switch (stop.hear()) {
      case FIRST ->
          System.err.println("seekr: " + name + ": the run stops when this step is done and saved");
      case SAME -> {}
      case AGAIN -> {
        System.err.println("seekr: " + name + ", after a signal before: stopped at once");
        Runtime.getRuntime().halt(Failure.Exit.RETRY.code);
      }
    }
  }
}
