package dev.seekr.ops;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Java's descriptors against the header, both ways. */
class HeaderTest {
  private static final Pattern FUNCTION =
      Pattern.compile("SK_API\\s+([^;(]*?)(sk_\\w+)\\(([^)]*)\\)\\s*;");
  private static final Pattern STRUCT =
      Pattern.compile("typedef struct sk_rows \\{(.*?)\\} sk_rows;", Pattern.DOTALL);

  private static String header() throws IOException {
    String text = Files.readString(Path.of("native/include/seekr.h"));
    return text.replaceAll("(?s)/\\*.*?\\*/", " ");
  }

  private static MemoryLayout layout(String declaration) {
    if (declaration.contains("*")) return ADDRESS;
    String type = declaration.strip().split("\\s+")[0];
    return switch (type) {
      case "int", "int32_t" -> JAVA_INT;
      case "int64_t" -> JAVA_LONG;
      case "float" -> JAVA_FLOAT;
      default -> throw new AssertionError("a type this test does not know: " + declaration);
    };
  }

  private static Map<String, FunctionDescriptor> functions() throws IOException {
    Map<String, FunctionDescriptor> found = new LinkedHashMap<>();
    Matcher m = FUNCTION.matcher(header());
    while (m.find()) {
      List<MemoryLayout> parameters = new ArrayList<>();
      for (String p : m.group(3).split(",")) {
        if (!p.strip().equals("void")) parameters.add(layout(p));
      }
      found.put(
          m.group(2),
          FunctionDescriptor.of(layout(m.group(1)), parameters.toArray(MemoryLayout[]::new)));
    }
    return found;
  }

  @Test
  void everyFunctionInOrder() throws IOException {
    Map<String, FunctionDescriptor> java = new LinkedHashMap<>();
    for (var f : Abi.functions()) java.put(f.name(), f.descriptor());
    assertThat(functions()).containsExactlyEntriesOf(java);
    // Nothing that the pattern above would overlook.
    assertThat(header().split("\\bSK_API\\s+(?=int|const)").length - 1).isEqualTo(java.size());
  }

  @Test
  void handlesTakeTheAddressFirst() {
    for (var f : Abi.functions()) {
      assertThat(f.handle().type())
          .isEqualTo(
              f.descriptor()
                  .toMethodType()
                  .insertParameterTypes(0, java.lang.foreign.MemorySegment.class));
      assertThat(Abi.functions().get(f.index())).isSameAs(f);
    }
  }

  @Test
  void structOfSampledRows() throws IOException {
    Matcher m = STRUCT.matcher(header());
    assertThat(m.find()).isTrue();
    List<MemoryLayout> members = new ArrayList<>();
    for (String member : m.group(1).split(";")) {
      if (member.isBlank()) continue;
      String name = member.replaceAll(".*\\W(\\w+)\\s*$", "$1").strip();
      members.add(layout(member).withName(name));
    }
    // All members are 8 bytes, so C puts no padding between them.
    assertThat(Abi.ROWS).isEqualTo(MemoryLayout.structLayout(members.toArray(MemoryLayout[]::new)));
    assertThat(members).allMatch(l -> l.byteSize() == 8);
  }
}
