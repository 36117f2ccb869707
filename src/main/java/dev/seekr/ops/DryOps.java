package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.DryPlace;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/**
 * Kernels that compute nothing, on a {@link DryPlace}: what a run allocates can be seen without the
 * memory or the time it would take. Sums are 1, so that nobody stops at them.
 */
public final class DryOps {
  private DryOps() {}

  /** Of a library that computes in {@code dtype}. */
  public static Ops of(DType dtype, DryPlace place) {
    InvocationHandler answers =
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "dtype" -> dtype;
              case "place" -> place;
              case "description" -> "nothing is computed";
              case "dot", "anchor" -> 1.0;
              default ->
                  method.isDefault()
                      ? InvocationHandler.invokeDefault(proxy, method, arguments)
                      : null;
            };
    return (Ops)
        Proxy.newProxyInstance(DryOps.class.getClassLoader(), new Class<?>[] {Ops.class}, answers);
  }
}
