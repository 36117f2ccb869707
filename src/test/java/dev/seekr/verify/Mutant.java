package dev.seekr.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A look-alike of a method: edits of its source that a check must notice. Files of them read
 *
 * <pre>
 *   == the name of a look-alike
 *   in the cases that must notice it
 *   of method/Ewc.java
 *   - text that the file has once, however its lines are broken
 *   + what stands in its place
 * </pre>
 *
 * A look-alike may have several edits and files. Blank lines and those that begin with # are left
 * out.
 *
 * @param file the list it is from
 * @param cases of the reference folder, or {@link ChoiceChecks#CASE}, that must notice it
 */
public record Mutant(String file, String name, Set<String> cases, List<Edit> edits) {
  static final Path MAIN = Path.of("src/main/java/dev/seekr");
  private static final Path LISTS = Path.of("src/test/mutants");

  /** Of {@code source}, relative to the program's package. */
  record Edit(String source, String from, String to) {}

  /** All lists, in the order of their names. */
  public static List<Mutant> all() throws IOException {
    var all = new ArrayList<Mutant>();
    try (var lists = Files.list(LISTS)) {
      for (Path list : lists.sorted().toList()) {
        var text = Pattern.compile("^== ", Pattern.MULTILINE).split(Files.readString(list));
        for (int i = 1; i < text.length; i++)
          all.add(read(list.getFileName().toString(), text[i].lines().toList()));
      }
    }
    return all;
  }

  private static Mutant read(String file, List<String> lines) {
    var mutant =
        new Mutant(file, lines.getFirst().strip(), new LinkedHashSet<>(), new ArrayList<>());
    String source = null, from = "", to = "";
    for (String line : lines.subList(1, lines.size())) {
      if (line.isBlank() || line.startsWith("#")) continue;
      String text = line.substring(1).strip();
      boolean next = !to.isEmpty() && !line.startsWith("+");
      if (next) {
        mutant.edits.add(new Edit(source, from, to));
        from = to = "";
      }
      if (line.startsWith("in ")) mutant.cases.addAll(List.of(line.substring(3).split(" +")));
      else if (line.startsWith("of ")) source = line.substring(3).strip();
      else if (line.startsWith("-")) from += text + "\n";
      else if (line.startsWith("+")) to += text + "\n";
      else throw new IllegalArgumentException(file + ", " + mutant.name + ": not read: " + line);
    }
    mutant.edits.add(new Edit(source, from, to));
    return mutant;
  }

  /**
   * The edited sources, by path below {@code dev/seekr}.
   *
   * @throws IllegalStateException where an edit does not apply
   */
  Map<String, String> sources() throws IOException {
    var sources = new LinkedHashMap<String, String>();
    for (Edit edit : edits) {
      String text = sources.containsKey(edit.source) ? sources.get(edit.source) : read(edit.source);
      sources.put(edit.source, replaced(edit, text));
    }
    return sources;
  }

  private static String read(String source) throws IOException {
    return Files.readString(MAIN.resolve(source));
  }

  private static String replaced(Edit edit, String text) {
    String pattern =
        Pattern.compile("\\s+")
            .splitAsStream(edit.from.strip())
            .map(Pattern::quote)
            .collect(Collectors.joining("\\s+"));
    Matcher found = Pattern.compile(pattern).matcher(text);
    long times = found.results().count();
    if (times != 1)
      throw new IllegalStateException(
          "%s has %d times, not once: %s".formatted(edit.source, times, edit.from.strip()));
    return found.reset().replaceFirst(Matcher.quoteReplacement(edit.to));
  }
}
