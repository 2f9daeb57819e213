using Spillway.Runtimes;
using Spillway.Tests.Server;

namespace Spillway.Tests.Conformance;

/// <summary>
/// What every runtime promises, as inherited tests: derive a class, say which models to use. Answers are compared with
/// what the same rows give when they run alone, so nothing here knows what a model computes.
/// This file is long because a runtime inherits one class, and with it the whole promise.
/// </summary>
public abstract class RuntimeConformance
{
    /// <summary>How long a test waits for something that must happen before it gives up.</summary>
    private static readonly TimeSpan s_patience = TestServer.Patience;

    /// <summary>The runtime under test.</summary>
    protected abstract IRuntime Runtime { get; }

    /// <summary>A model with <see cref="Signature.Batched"/>, whose rows do not influence each other.</summary>
    protected abstract ModelSource Batched();

    /// <summary>A model without a batch dimension; null when the runtime has none.</summary>
    protected abstract ModelSource? Unbatched();

    /// <summary>A model with an input that takes far longer than any test waits, and one that takes little.</summary>
    protected abstract (ModelSource Source, RunItem Long, RunItem Short) Endless();

    /// <summary>A model with an input whose run fails, the kind of its fault, and one that works.</summary>
    protected abstract (ModelSource Source, RunItem Bad, FaultKind Kind, RunItem Good) Failing();

    /// <summary>Sources that cannot be loaded.</summary>
    protected abstract IEnumerable<ModelSource> Unloadable();

    [Fact]
    public void Options_class_can_be_bound_and_describes_every_option()
    {
        Assert.NotNull(Activator.CreateInstance(Runtime.OptionsType));
        Assert.All(Runtime.OptionsType.GetProperties(), static property => Assert.True(
            property.IsDefined(typeof(OptionAttribute), inherit: false), $"{property.Name} lacks [Option]"));
        Assert.Equal(Runtime.Name, Runtime.Name.ToLowerInvariant());
    }

    [Fact]
    public void Loaded_model_tells_its_signature_platform_and_devices()
    {
        using var model = Load(Batched());
        Assert.True(model.Signature.Batched);
        Assert.NotEmpty(model.Signature.Inputs);
        Assert.NotEmpty(model.Signature.Outputs);
        Assert.All(model.Signature.Inputs.Concat(model.Signature.Outputs), static port => Assert.Equal(-1, port.Shape[0]));
        Assert.NotEmpty(model.Traits.Platform);
        Assert.NotEmpty(model.Traits.Devices);
        Assert.All(model.Traits.Devices, static device => Assert.True(device.Parallelism >= 1));
    }

    [Fact]
    public void Replicas_can_be_made_on_every_device()
    {
        using var model = Load(Batched());
        for (var device = 0; device < model.Traits.Devices.Count; device++)
        {
            using var replica = model.CreateReplica(device).Value;
            var item = Item(model, seed: 1, rows: 1);
            Assert.Null(replica.Run([item], new RunMarks()));
            Assert.NotEmpty(item.Outputs);
        }
    }

    [Fact]
    public void Empty_batch_is_no_fault()
    {
        using var model = Load(Batched());
        using var replica = model.CreateReplica(0).Value;
        Assert.Null(replica.Run([], new RunMarks()));
    }

    [Fact]
    public void Outputs_arrive_once_in_signature_order_and_fit_it()
    {
        using var model = Load(Batched());
        using var replica = model.CreateReplica(0).Value;
        var item = Item(model, seed: 2, rows: 3);
        Assert.Null(replica.Run([item], new RunMarks()));

        var outputs = model.Signature.Outputs;
        Assert.Equal(Enumerable.Range(0, outputs.Count), item.Outputs.Select(static output => output.Port));
        Assert.All(item.Outputs, output =>
        {
            var spec = outputs[output.Port];
            Assert.True(spec.Accepts(output.Shape), $"{output.Shape} is not {spec.Shape}");
            Assert.Equal(3, output.Shape[0]);
            Assert.True(output.Shape.TryCount(out var elements));
            if (spec.Type != DataType.Bytes)
                Assert.Equal(elements * spec.Type.Size(), output.Data.Length);
        });
    }

    [Fact]
    public void Gathering_and_execution_are_marked_in_that_order()
    {
        using var model = Load(Batched());
        using var replica = model.CreateReplica(0).Value;
        var marks = new RunMarks();
        Assert.Null(replica.Run([Item(model, seed: 3, rows: 1)], marks));
        Assert.Equal([Stage.Batch, Stage.Execute], marks.Marks);
    }

    [Fact]
    public void Requests_of_mixed_rows_get_what_they_get_alone()
    {
        using var model = Load(Batched());
        using var replica = model.CreateReplica(0).Value;
        AssertSameAsAlone(model, replica, [1, 3, 2]);
    }

    [Fact]
    public void Many_requests_keep_their_order()
    {
        using var model = Load(Batched());
        using var replica = model.CreateReplica(0).Value;
        AssertSameAsAlone(model, replica, [.. Enumerable.Repeat(1, 32)]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Batches_of_changing_sizes_never_show_each_others_rows(int seed)
    {
        using var model = Load(Batched());
        using var replica = model.CreateReplica(0).Value;
        var random = new Random(seed);
        for (var round = 0; round < 6; round++)
        {
            var rows = Enumerable.Range(0, random.Next(1, 9)).Select(_ => random.Next(1, 5)).ToArray();
            AssertSameAsAlone(model, replica, rows, seed: (100 * seed) + round);
        }
    }

    [Fact]
    public void Replicas_in_parallel_give_the_right_answers()
    {
        using var model = Load(Batched());
        var faults = new Exception?[4];
        var threads = Enumerable.Range(0, faults.Length).Select(n => new Thread(() => faults[n] = Record.Exception(() =>
        {
            using var replica = model.CreateReplica(n % model.Traits.Devices.Count).Value;
            for (var round = 0; round < 10; round++)
                AssertSameAsAlone(model, replica, [1, 2, 1], seed: (1000 * n) + round);
        }))).ToList();
        threads.ForEach(static thread => thread.Start());
        Assert.All(threads, static thread => Assert.True(thread.Join(s_patience), "a replica hangs"));
        Assert.All(faults, Assert.Null);
    }

    [Fact]
    public void Model_without_batch_dimension_runs_one_request()
    {
        if (Unbatched() is not { } source)
            return;
        using var model = Load(source);
        using var replica = model.CreateReplica(0).Value;
        Assert.False(model.Signature.Batched);
        var item = Item(model, seed: 4, rows: 1);
        Assert.Null(replica.Run([item], new RunMarks()));
        Assert.Equal(model.Signature.Outputs.Count, item.Outputs.Count);
    }

    [Fact]
    public void Stopped_run_is_a_cancelled_fault_and_the_next_run_works()
    {
        var (source, endless, brief) = Endless();
        using var model = Load(source);
        using var replica = model.CreateReplica(0).Value;
        using var running = new ManualResetEventSlim();
        Fault? fault = null;
        var thread = new Thread(() => fault = replica.Run([endless], new RunMarks(_ => running.Set()))) { IsBackground = true };
        thread.Start();
        Assert.True(running.Wait(s_patience), "the run never began");
        replica.Stop();
        Assert.True(thread.Join(s_patience), "the run did not stop");

        Assert.Equal(FaultKind.Cancelled, fault?.Kind);
        Assert.Empty(endless.Outputs);
        Assert.Null(replica.Run([brief], new RunMarks()));
        Assert.NotEmpty(brief.Outputs);
    }

    [Fact]
    public void Stop_before_the_model_has_begun_ends_that_run_too()
    {
        var (source, endless, brief) = Endless();
        using var model = Load(source);
        using var replica = model.CreateReplica(0).Value;
        var marks = new RunMarks(stage =>
        {
            if (stage == Stage.Batch)
                replica.Stop();
        });
        Assert.Equal(FaultKind.Cancelled, replica.Run([endless], marks)?.Kind);
        Assert.Null(replica.Run([brief], new RunMarks()));
    }

    [Fact]
    public void Stop_that_comes_after_the_end_does_not_touch_the_next_run()
    {
        using var model = Load(Batched());
        using var replica = model.CreateReplica(0).Value;
        Assert.Null(replica.Run([Item(model, seed: 5, rows: 1)], new RunMarks()));
        replica.Stop();
        Assert.Null(replica.Run([Item(model, seed: 5, rows: 1)], new RunMarks()));
    }

    [Fact]
    public void Failed_run_is_a_fault_with_a_reason_and_the_next_run_works()
    {
        var (source, bad, kind, good) = Failing();
        using var model = Load(source);
        using var replica = model.CreateReplica(0).Value;
        var fault = replica.Run([bad], new RunMarks());
        Assert.Equal(kind, fault?.Kind);
        Assert.Contains(source.Name, fault!.Message, StringComparison.Ordinal);
        Assert.Empty(bad.Outputs);
        Assert.Null(replica.Run([good], new RunMarks()));
        Assert.NotEmpty(good.Outputs);
    }

    [Fact]
    public void What_cannot_be_loaded_is_a_load_fault_that_names_the_model()
    {
        Assert.All(Unloadable(), source =>
        {
            var fault = Runtime.Load(source, CancellationToken.None).Fault;
            Assert.Equal(FaultKind.LoadFailed, fault?.Kind);
            Assert.Contains(source.Name, fault!.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Disposing_twice_is_harmless()
    {
        var model = Load(Batched());
        var replica = model.CreateReplica(0).Value;
        replica.Dispose();
        replica.Dispose();
        model.Dispose();
        model.Dispose();
    }

    [Fact]
    public void Use_after_dispose_is_an_exception_or_a_fault_and_never_a_crash()
    {
        var model = Load(Batched());
        var replica = model.CreateReplica(0).Value;
        var item = Item(model, seed: 6, rows: 1);
        replica.Dispose();
        AssertRefused(() => replica.Run([item], new RunMarks()));
        AssertRefused(() => replica.Run([], new RunMarks()));
        Assert.Empty(item.Outputs);
        model.Dispose();
        AssertRefused(() => model.CreateReplica(0).Fault);
    }

    /// <summary>Loads a model that must load.</summary>
    protected ILoadedModel Load(ModelSource source) => Runtime.Load(source, CancellationToken.None).Value;

    /// <summary>An item with inputs of that many rows, filled from the seed; other variable dimensions are 4.</summary>
    protected static RunItem Item(ILoadedModel model, int seed, int rows)
    {
        var random = new Random(seed);
        var item = new RunItem { RowsGiven = model.Signature.Batched ? rows : 1 };
        foreach (var spec in model.Signature.Inputs)
        {
            var dims = spec.Shape.Dims.ToArray();
            for (var i = 0; i < dims.Length; i++)
                dims[i] = dims[i] >= 0 ? dims[i] : i == 0 && model.Signature.Batched ? rows : 4;
            item.With(spec.Type, dims, Fill(spec.Type, dims.Aggregate(1, static (product, dim) => product * (int)dim), random));
        }

        return item;
    }

    private static byte[] Fill(DataType type, int elements, Random random)
    {
        var values = Enumerable.Range(0, elements).Select(_ => random.Next(1, 100));
        return type switch
        {
            DataType.Float32 => RunItem.Bytes(values.Select(static value => value / 100f).ToArray()),
            DataType.Float64 => RunItem.Bytes(values.Select(static value => value / 100d).ToArray()),
            DataType.Int32 => RunItem.Bytes(values.ToArray()),
            DataType.Int64 => RunItem.Bytes(values.Select(static value => (long)value).ToArray()),
            DataType.Bytes => RunItem.Texts(values.Select(static value => new string('a', value)).ToArray()),
            _ => new byte[elements * type.Size()],
        };
    }

    /// <summary>Runs items together and each alone, and compares every output.</summary>
    private static void AssertSameAsAlone(ILoadedModel model, IBatchReplica replica, int[] rows, int seed = 10)
    {
        var together = rows.Select((count, i) => Item(model, seed + i, count)).ToArray();
        Assert.Null(replica.Run(together, new RunMarks()));
        for (var i = 0; i < rows.Length; i++)
        {
            var alone = Item(model, seed + i, rows[i]);
            Assert.Null(replica.Run([alone], new RunMarks()));
            Assert.Equal(alone.Outputs.Count, together[i].Outputs.Count);
            foreach (var (one, other) in alone.Outputs.Zip(together[i].Outputs))
            {
                Assert.Equal(one.Port, other.Port);
                Assert.Equal(one.Shape, other.Shape);
                AssertClose(model.Signature.Outputs[one.Port].Type, one.Data, other.Data);
            }
        }
    }

    /// <summary>Floats may differ in their last bits: a library may add in another order for another batch size.</summary>
    private static void AssertClose(DataType type, byte[] expected, byte[] actual)
    {
        if (type != DataType.Float32)
        {
            Assert.Equal(expected, actual);
            return;
        }

        Assert.Equal(expected.Length, actual.Length);
        for (var at = 0; at < expected.Length; at += sizeof(float))
        {
            var (want, got) = (BitConverter.ToSingle(expected, at), BitConverter.ToSingle(actual, at));
            Assert.True(MathF.Abs(want - got) <= 1e-4f * MathF.Max(1, MathF.Abs(want)), $"element {at / 4}: {got} is not {want}");
        }
    }

    private static void AssertRefused(Func<Fault?> use)
    {
        Fault? fault = null;
        if (Record.Exception(() => fault = use()) is { } error)
            Assert.IsType<ObjectDisposedException>(error);
        else
            Assert.NotNull(fault);
    }
}
