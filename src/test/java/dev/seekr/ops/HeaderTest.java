package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Java's operations and records against the header's functions and structs. */
class HeaderTest {
  private static final Pattern KERNEL =
      Pattern.compile("SK_API int sk_(\\w+)\\(sk_context\\* ctx, const (sk_\\w+)\\* a\\);");
  private static final Pattern STRUCT =
      Pattern.compile("typedef struct (sk_\\w+) \\{(.*?)\\} \\1;", Pattern.DOTALL);

  /** Written when it is closed by {@link #letters}; one letter a member, as in {@link #letters}. */
  private static final class Recorded implements Members {
    final StringBuilder letters = new StringBuilder();

    private Members add(char letter) {
      letters.append(letter);
      return this;
    }

    @Override
    public Members p(Tensor t) {
      return add('p');
    }

    @Override
    public Members p(MemorySegment address) {
      return add('p');
    }

    @Override
    public Members l(long value) {
      return add('l');
    }

    @Override
    public Members i(int value) {
      return add('i');
    }

    @Override
    public Members f(float value) {
      return add('f');
    }

    @Override
    public Members struct(Arguments part) {
      letters.append('{');
      part.write(this);
      return add('}');
    }
  }

  private static String header() throws IOException {
    String text = Files.readString(Path.of("native/include/seekr.h"));
    return text.replaceAll("(?s)/\\*.*?\\*/", " ");
  }

  /** The struct that each kernel takes. */
  static Map<String, String> kernels() throws IOException {
    var kernels = new LinkedHashMap<String, String>();
    Matcher m = KERNEL.matcher(header());
    while (m.find()) kernels.put(m.group(1), m.group(2));
    return kernels;
  }

  /** Each struct's members: p pointer, l int64_t, i int32_t, f float, {} a struct inside. */
  static Map<String, String> structs() throws IOException {
    var structs = new LinkedHashMap<String, String>();
    Matcher m = STRUCT.matcher(header());
    while (m.find()) {
      var letters = new StringBuilder();
      for (String declaration : m.group(2).strip().split(";\\s*")) {
        String type = declaration.strip().split("\\s+")[0];
        int names = declaration.split(",").length;
        String letter =
            declaration.contains("*")
                ? "p"
                : switch (type) {
                  case "int64_t" -> "l";
                  case "int32_t" -> "i";
                  case "float" -> "f";
                  default -> "{" + structs.get(type) + "}";
                };
        letters.append(letter.repeat(names));
      }
      structs.put(m.group(1), letters.toString());
    }
    return structs;
  }

  /** What every case hands over, by operation. */
  private static Map<String, List<String>> written() {
    var written = new TreeMap<String, List<String>>();
    try (var kernels = Kernels.open(1, "auto")) {
      Ops recording =
          new ForwardingOps(kernels) {
            @Override
            public void run(Op op, Arguments arguments) {
              super.run(op, arguments);
              var to = new Recorded();
              kernels.struct(arguments).write(to);
              written.computeIfAbsent(op.toString(), _ -> new ArrayList<>()).add(to.letters + "");
            }
          };
      for (OpCase c : OpCases.all(DType.F32, 1)) c.run(recording);
    }
    return written;
  }

  @Test
  void everyKernelIsAnOperation() throws IOException {
    List<String> java = Arrays.stream(Op.values()).map(Op::toString).collect(Collectors.toList());
    assertThat(kernels().keySet()).containsExactlyInAnyOrderElementsOf(java);
    // Nothing that the pattern above would overlook: the others are for contexts.
    assertThat(header().split("\\bSK_API\\s+(?=int|const)").length - 1).isEqualTo(java.size() + 7);
  }

  @Test
  void everyRecordIsItsStruct() throws IOException {
    var structs = structs();
    var expected = new TreeMap<String, String>();
    kernels().forEach((kernel, struct) -> expected.put(kernel, structs.get(struct)));
    var actual = new TreeMap<String, String>();
    written()
        .forEach(
            (kernel, letters) ->
                actual.put(kernel, String.join(" or ", letters.stream().distinct().toList())));
    assertThat(actual).isEqualTo(expected);
  }
}
