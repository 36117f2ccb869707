package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.seekr.Stop;
import dev.seekr.StopAtChance;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Scratch;
import dev.seekr.distributed.ThreadWire;
import dev.seekr.distributed.WireCollectives;
import dev.seekr.report.Progress;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.StateReader;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is closed may be closed again, by its owner or anybody else: the second time does nothing.
 * Everything that runs hold, as far as it can be reached, is closed three times.
 */
class CloseTest {
  /** Not reached from a run that stands between two steps, each with what its close() does. */
  private static final Set<String> ELSEWHERE =
      Set.of(
          // Closes one thing that is met here.
          "bench.StepBench",
          "bench.TimedOps",
          "cli.Grafting",
          "convert.Renamed",
          "data.ReplayBuffer$Stored",
          "general.Asking",
          "general.SubsetAsking$ChoiceAsking",
          "general.SubsetAsking$OpenAsking",
          "method.Ewc$Estimate",
          "method.Objective",
          "method.PreviousModel$Recorded",
          "method.PreviousModel$Running",
          "method.Replayed$Opened",
          "model.Beginning",
          "safetensors.ShardedTensors",
          "verify.Expectation",
          // As another method that is met here.
          "method.DerPlusPlus",
          "method.Mtl",
          "method.SeqFT",
          // Nothing, or an assignment.
          "convert.Merged",
          "ops.Clock$HostMoment",
          "ops.DryOps",
          // What Java says may be closed twice.
          "disk.Disk$Full",
          "disk.Fingerprint$Channel",
          // Asks whether it is closed.
          "convert.TorchFile",
          "distributed.Mpi",
          "ops.cuda.CudaClock$Event",
          "ops.cuda.Nccl",
          "ops.cuda.NcclWire");

  @TempDir Path folder;

  @Test
  void everythingThatARunHolds() throws Exception {
    var seen = new TreeSet<String>();
    for (var settings :
        List.of(
            List.of("method.name=seekr", "run.tensorboard=true"),
            List.of("method.name=agem", "run.backend=cuda"),
            List.of("method.name=ewc", "run.backend=reference"),
            List.of("method.name=olora"),
            List.of("method.name=l2p"),
            List.of("method.name=pp"),
            List.of("method.name=lfpt5"),
            List.of("method.name=lwf", "method.lwf.cache=none"),
            List.of("method.name=replay", "train.parameters=lora", "method.lora.per=run"))) {
      var config =
          ResumeTest.config(
              folder.resolve("run" + seen.size()),
              settings,
              "data.max_prompt=16",
              "train.epochs=1");
      var run = Run.open(config, new StopAtChance(3), List.of(new ProgressListener()));
      try {
        run.train();
      } catch (Stop.Stopped stopped) {
        // in the first task, where everything is at hand
      }
      var held = held(run);
      for (int i = 0; i < 3; i++) {
        for (AutoCloseable resource : held)
          assertThatCode(resource::close)
              .as("%s, closed %d times", resource, i)
              .doesNotThrowAnyException();
      }
      held.forEach(r -> seen.add(name(r.getClass())));
    }
    for (AutoCloseable other : others())
      for (AutoCloseable one : held(other)) {
        for (int i = 0; i < 3; i++) one.close();
        seen.add(name(one.getClass()));
      }
    var all = all();
    assertThat(all).containsAll(ELSEWHERE);
    all.removeAll(ELSEWHERE);
    all.removeAll(seen);
    assertThat(all).isEmpty();
  }

  /** What runs hold for a while. */
  private List<AutoCloseable> others() throws IOException {
    Path file = folder.resolve("a.safetensors");
    Disk.write(file, SafetensorsWriter.content(Map.of("a", Tensor.of(new int[] {1}))));
    Files.writeString(folder.resolve(StateReader.VALUES), "{}");
    var several =
        ThreadWire.run(2, wire -> new WireCollectives(wire, wire.rank())).stream()
            .map(AutoCloseable.class::cast);
    return Stream.concat(
            Stream.of(
                new Progress("steps", 3, 0),
                Safetensors.open(file),
                StateReader.open(folder),
                Scratch.create()),
            several)
        .toList();
  }

  private static String name(Class<?> type) {
    return type.getName().replace("dev.seekr.", "");
  }

  /** Classes of the program that can be closed. */
  private static Set<String> all() throws Exception {
    var names = new TreeSet<String>();
    Path classes = Path.of("target/classes");
    try (var files = Files.walk(classes.resolve("dev/seekr"))) {
      for (Path file :
          (Iterable<Path>) files.filter(f -> f.toString().endsWith(".class"))::iterator) {
        String path = classes.relativize(file).toString().replace('/', '.');
        var type =
            Class.forName(
                path.substring(0, path.length() - ".class".length()),
                false,
                CloseTest.class.getClassLoader());
        if (AutoCloseable.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers()))
          names.add(name(type));
      }
    }
    return names;
  }

  /** What is given first, and whatever it leads to. */
  private static List<AutoCloseable> held(AutoCloseable root) throws IllegalAccessException {
    Map<Object, Boolean> met = new IdentityHashMap<>();
    Deque<Object> left = new ArrayDeque<>(List.of(root));
    var held = new java.util.ArrayList<AutoCloseable>();
    while (!left.isEmpty()) {
      Object object = left.pop();
      if (met.put(object, true) != null) continue;
      boolean ours = object.getClass().getName().startsWith("dev.seekr.");
      if (ours && object instanceof AutoCloseable c) held.add(c);
      left.addAll(reached(object, ours));
    }
    return held;
  }

  private static Collection<Object> reached(Object object, boolean ours)
      throws IllegalAccessException {
    var found = new java.util.ArrayList<Object>();
    if (object instanceof Collection<?> many) found.addAll(many);
    if (object instanceof Map<?, ?> map) found.addAll(map.values());
    if (object instanceof Object[] array) found.addAll(Arrays.asList(array));
    for (Class<?> type = object.getClass(); ours && type != null; type = type.getSuperclass()) {
      if (!type.getName().startsWith("dev.seekr.")) break;
      for (Field field : type.getDeclaredFields()) {
        if (Modifier.isStatic(field.getModifiers()) || field.getType().isPrimitive()) continue;
        if (type.isHidden()) continue; // a lambda's own
        field.setAccessible(true);
        found.add(field.get(object));
      }
    }
    found.removeAll(Collections.singleton(null));
    return found;
  }
}
