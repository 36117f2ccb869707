package dev.seekr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.state.Stateful;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What changes while a run goes on is saved with it: every class that keeps state is Stateful. */
class StateTest {
  private static final Path CLASSES = Path.of("target/classes");

  /** Packages whose objects live as long as a run. */
  private static final List<String> PACKAGES =
      List.of("method", "trainer", "evaluation", "general", "run");

  /**
   * Classes that may change and need not be saved, each for its reason. Objects that a step or a
   * stage makes anew and that follow from the settings, the seed and the place.
   */
  private static final Set<String> EXEMPT =
      Set.of(
          "method.Losses", // of one step
          "method.PackedQueries", // of one batch
          "method.RecordedLogits", // follows from files, which its holders save
          "method.PseudoSamples", // of one stage's end, which is begun anew
          "method.PromptNetwork", // of one step; its weights are what is trained
          "trainer.Learner$Next", // of one step
          "trainer.Sending", // of one step
          "trainer.RunState$Phase",
          "general.SubsetAsking", // of one subset; follows from its questions
          "general.SubsetAsking$ChoiceAsking",
          "general.SubsetAsking$OpenAsking",
          "run.Checkpoints", // fingerprints of files that do not change
          "run.ProgressListener", // what is on the screen
          "run.Run", // what is open
          "run.Saving"); // when and how long; nothing that a result depends on

  @Test
  void everyClassThatKeepsStateIsSaved() throws Exception {
    var stateful = new TreeSet<String>();
    var wrong = new TreeSet<String>();
    for (Class<?> type : classes()) {
      String name = type.getName().substring("dev.seekr.".length());
      if (Stateful.class.isAssignableFrom(type)) {
        stateful.add(name);
        continue;
      }
      if (changes(type) && !EXEMPT.contains(name) && !ownedByStateful(type)) wrong.add(name);
    }
    assertThat(wrong).isEmpty();
    assertThat(stateful)
        .contains(
            "method.AGem",
            "method.DerPlusPlus",
            "method.Ewc",
            "method.General",
            "method.HeadChanges",
            "method.L2p",
            "method.Lfpt5",
            "method.LowRank",
            "method.Lwf",
            "method.OLora",
            "method.ProgressivePrompts",
            "method.Replay",
            "method.Seekr",
            "method.WeightsBefore",
            "trainer.AdamW",
            "trainer.Learner",
            "trainer.RunState",
            "trainer.Trainer",
            "trainer.Validation",
            "evaluation.Answering",
            "evaluation.GeneralScores",
            "evaluation.ScoreMatrix",
            "general.Asking",
            "run.EventsListener",
            "run.LogListener");
  }

  /** Inner objects are saved by the object around them. */
  private static boolean ownedByStateful(Class<?> type) {
    Class<?> outer = type.getEnclosingClass();
    return outer != null && Stateful.class.isAssignableFrom(outer);
  }

  /** A field that can be set anew, or a collection or array that can be written to. */
  private static boolean changes(Class<?> type) {
    if (type.isRecord() || type.isInterface() || type.isEnum()) return false;
    for (Field field : type.getDeclaredFields()) {
      int m = field.getModifiers();
      if (Modifier.isStatic(m) || field.isSynthetic()) continue;
      boolean container =
          Collection.class.isAssignableFrom(field.getType())
              || Map.class.isAssignableFrom(field.getType());
      if (!Modifier.isFinal(m) || container) return true;
    }
    return false;
  }

  private static List<Class<?>> classes() throws IOException, ClassNotFoundException {
    var classes = new ArrayList<Class<?>>();
    for (String name : PACKAGES) {
      Path folder = CLASSES.resolve("dev/seekr").resolve(name);
      try (var files = Files.list(folder)) {
        for (Path file : (Iterable<Path>) files.sorted()::iterator) {
          String path = CLASSES.relativize(file).toString();
          if (path.endsWith(".class"))
            classes.add(
                Class.forName(
                    path.replace('/', '.').substring(0, path.length() - 6),
                    false,
                    StateTest.class.getClassLoader()));
        }
      }
    }
    assertThat(classes).hasSizeGreaterThan(60);
    return classes;
  }
}
