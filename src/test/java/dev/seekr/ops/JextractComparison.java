package dev.seekr.ops;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.ValueLayout;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What jextract makes of the header against how {@link HeaderTest} reads it, which is what records
 * are held to; see scripts/jextract-compare.
 */
final class JextractComparison {
  /** One folder: jextract's classes, compiled, of the package {@code jextracted}. */
  public static void main(String[] args) throws Exception {
    var wrong = new TreeMap<String, String>();
    Map<String, String> structs = HeaderTest.structs(), kernels = HeaderTest.kernels();
    try (var classes = new URLClassLoader(new URL[] {Path.of(args[0]).toUri().toURL()})) {
      for (var struct : structs.entrySet()) {
        var layout = (GroupLayout) call(classes, struct.getKey(), "layout");
        if (!letters(layout).equals(struct.getValue()))
          wrong.put(struct.getKey(), letters(layout) + ", read here as " + struct.getValue());
      }
      var expected = FunctionDescriptor.of(ValueLayout.JAVA_INT, ADDRESS, ADDRESS);
      for (String kernel : kernels.keySet()) {
        var function =
            (FunctionDescriptor) call(classes, "seekr_h", "sk_" + kernel + "$descriptor");
        if (!plain(function).equals(plain(expected)))
          wrong.put("sk_" + kernel, function + ", called here as " + expected);
      }
    }
    wrong.forEach((name, how) -> System.err.println(name + ": jextract has " + how));
    if (!wrong.isEmpty() || structs.isEmpty() || kernels.isEmpty()) System.exit(70);
    System.out.printf(
        "jextract reads %d structs and %d kernels as Seekr does%n", structs.size(), kernels.size());
  }

  private static final MemoryLayout ADDRESS = ValueLayout.ADDRESS;

  private static Object call(ClassLoader classes, String name, String method) throws Exception {
    return classes.loadClass("jextracted." + name).getMethod(method).invoke(null);
  }

  /** One letter a member, as {@link HeaderTest#structs} has them. */
  private static String letters(GroupLayout layout) {
    return layout.memberLayouts().stream()
        .map(
            member ->
                switch (member) {
                  case AddressLayout _ -> "p";
                  case ValueLayout.OfLong _ -> "l";
                  case ValueLayout.OfInt _ -> "i";
                  case ValueLayout.OfFloat _ -> "f";
                  case GroupLayout inner -> "{" + letters(inner) + "}";
                  case PaddingLayout _ -> "";
                  default -> "?";
                })
        .collect(Collectors.joining());
  }

  /** Kinds of result and arguments: what an address points at is not compared. */
  private static String plain(FunctionDescriptor function) {
    return function.toMethodType().toString();
  }

  private JextractComparison() {}
}
