package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.config.RunConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Examples are texts that can be written again, with bad records left out as well as refused. */
class TaskFileFuzzTest extends FuzzTarget {
  private static final RecordFormat FORMAT = new RecordFormat(RunConfig.DEFAULT.data());

  TaskFileFuzzTest() {
    super("train.json", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    var bad = new ArrayList<Failure>();
    List<Example> some = TaskReader.read(List.of(file), FORMAT, bad::add);
    sound(!some.isEmpty() || !bad.isEmpty(), "no examples");
    some.forEach(TaskFileFuzzTest::sound);
    for (Failure record : bad) sound(record.exit == Exit.DATA, "exit " + record.exit);
    if (!bad.isEmpty()) throw bad.getFirst();
    return some;
  }

  private static void sound(Example example) {
    for (String text :
        Stream.concat(Stream.of(example.prompt()), example.answers().stream()).toList()) {
      sound(!text.isBlank(), "blank");
      sound(StandardCharsets.UTF_8.newEncoder().canEncode(text), "half a character");
    }
  }
}
