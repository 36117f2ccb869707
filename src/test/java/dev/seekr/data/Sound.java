package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What holds of examples, whatever kind of file and record they come from. */
final class Sound {
  private Sound() {}

  /**
   * The examples of a file, by settings; the first bad record ends it, after all others have been
   * read.
   */
  static List<Example> examples(Path file, String... settings) {
    var format = new RecordFormat(ConfigReader.parse("", "fuzz", List.of(settings)).data());
    var bad = new ArrayList<Failure>();
    List<Example> some = TaskReader.read(List.of(file), format, bad::add);
    sound(!some.isEmpty() || !bad.isEmpty(), "no examples");
    some.forEach(Sound::example);
    for (Failure record : bad) sound(record.exit == Failure.Exit.DATA, "exit " + record.exit);
    if (!bad.isEmpty()) throw bad.getFirst();
    return some;
  }

  private static void example(Example example) {
    var texts = Stream.concat(Stream.of(example.prompt()), example.answers().stream()).toList();
    for (String text : texts) text(text);
    for (Message message : example.before()) {
      text(message.text());
      sound(List.of("system", "user", "assistant").contains(message.role()), message.role());
    }
  }

  private static void text(String text) {
    sound(!text.isBlank(), "blank");
    sound(StandardCharsets.UTF_8.newEncoder().canEncode(text), "half a character");
  }

  private static void sound(boolean condition, String what) {
    if (!condition) throw new AssertionError("not sound: " + what);
  }
}
