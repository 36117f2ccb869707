package dev.seekr.bench;

import dev.seekr.ops.Ops;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.TreeMap;

/** Kernels that count how long each of them takes; for one thread of callers. */
public final class TimedOps {
  private final Map<String, Long> nanos = new TreeMap<>();
  private final Ops ops;

  public TimedOps(Ops timed) {
    ops =
        (Ops)
            Proxy.newProxyInstance(
                Ops.class.getClassLoader(),
                new Class<?>[] {Ops.class},
                (_, method, arguments) -> call(timed, method, arguments));
  }

  private Object call(Ops timed, Method method, Object[] arguments) throws Throwable {
    long start = System.nanoTime();
    try {
      return method.invoke(timed, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    } finally {
      nanos.merge(method.getName(), System.nanoTime() - start, Long::sum);
    }
  }

  /** The same kernels, timed. */
  public Ops ops() {
    return ops;
  }

  /** Seconds by operation since {@link #reset}. */
  public Map<String, Double> seconds() {
    var seconds = new TreeMap<String, Double>();
    nanos.forEach((name, n) -> seconds.put(name, n / 1e9));
    return seconds;
  }

  public void reset() {
    nanos.clear();
  }
}
