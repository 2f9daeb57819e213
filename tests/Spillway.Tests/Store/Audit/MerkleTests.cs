using Spillway.Store.Audit.Merkle;

namespace Spillway.Tests.Store.Audit;

/// <summary>RFC 6962: the vectors of transparency-dev/merkle, and every proof over trees of every small size.</summary>
public sealed class MerkleTests
{
    private static readonly string[] s_leaves =
    [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ];

    private static readonly string[] s_roots =
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    [Theory]
    [InlineData("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")]
    [InlineData("4c313233343536", "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56")]
    public void A_leaf_has_the_hash_of_the_published_vectors(string record, string hash) =>
        Assert.Equal(hash, Convert.ToHexStringLower(MerkleHash.Leaf(Convert.FromHexString(record))));

    [Fact]
    public void A_node_has_the_hash_of_the_published_vectors() => Assert.Equal(
        "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb",
        Convert.ToHexStringLower(MerkleHash.Node("N123"u8, "N456"u8)));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Roots_are_those_of_the_published_vectors(int size)
    {
        var tree = new Tree([.. s_leaves.Take(size).Select(Convert.FromHexString)]);

        Assert.Equal(s_roots[size], Convert.ToHexStringLower(tree.Range.Root()));
        Assert.Equal(s_roots[size], Convert.ToHexStringLower(MerkleProof.Root(size, tree)));
        Assert.Equal(s_roots[size], Convert.ToHexStringLower(CompactRange.Load(size, tree).Root()));
    }

    [Fact]
    public void A_range_loaded_at_any_size_goes_on_as_the_one_that_never_stopped()
    {
        for (var stop = 0; stop <= 40; stop++)
        {
            var tree = Tree.OfSeed(40, seed: 3);
            var range = CompactRange.Load(stop, tree);
            var completed = new byte[CompactRange.CompletedBytesMax];
            foreach (var leaf in tree.Leaves.Skip(stop))
                range.Append(leaf, completed);
            Assert.Equal(tree.Range.Root(), range.Root());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_record_is_proven_in_every_tree_and_nothing_else_is(int seed)
    {
        const int Most = 40;
        var tree = Tree.OfSeed(Most, seed);
        for (var size = 1; size <= Most; size++)
        {
            var root = MerkleProof.Root(size, tree);
            for (var index = 0; index < size; index++)
            {
                var path = MerkleProof.Inclusion(index, size, tree);
                Assert.True(MerkleProof.IsIncluded(tree.Leaves[index], index, size, path, root));
                Assert.False(MerkleProof.IsIncluded(tree.Leaves[(index + 1) % Most], index, size, path, root));
                Assert.False(MerkleProof.IsIncluded(tree.Leaves[index], index, size, [.. path, root], root));
                Assert.False(index > 0 && MerkleProof.IsIncluded(tree.Leaves[index], index - 1, size, path, root));
                if (path.Count == 0)
                    continue;
                Assert.False(MerkleProof.IsIncluded(tree.Leaves[index], index, size, path[1..], root));
                path[seed % path.Count][seed] ^= 1;
                Assert.False(MerkleProof.IsIncluded(tree.Leaves[index], index, size, path, root));
            }

            Assert.False(MerkleProof.IsIncluded(tree.Leaves[0], size, size, [], root));
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Every_tree_continues_every_earlier_one_and_no_other(int seed)
    {
        const int Most = 34;
        var (tree, other) = (Tree.OfSeed(Most, seed), Tree.OfSeed(Most, seed + 100));
        for (var second = 1; second <= Most; second++)
        {
            var after = MerkleProof.Root(second, tree);
            for (var first = 1; first <= second; first++)
            {
                var before = MerkleProof.Root(first, tree);
                var path = MerkleProof.Consistency(first, second, tree);
                Assert.True(MerkleProof.IsConsistent(first, second, before, after, path));
                Assert.False(MerkleProof.IsConsistent(first, second, MerkleProof.Root(first, other), after, path));
                Assert.False(MerkleProof.IsConsistent(first, second, before, MerkleProof.Root(second, other), path));
                Assert.False(MerkleProof.IsConsistent(first, second, before, after, [.. path, before]));
                if (path.Count == 0)
                    continue;
                path[seed % path.Count][0] ^= 0x80;
                Assert.False(MerkleProof.IsConsistent(first, second, before, after, path));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(100)]
    [InlineData(1_000_003)]
    public void Hashes_have_one_place_each_and_leave_no_gap(long records)
    {
        // The hashes that the last record completes stand behind all others, one after the other.
        var place = NodeAddress.Count(records - 1);
        var (level, index) = (0, records - 1);
        while (true)
        {
            Assert.Equal(place++, NodeAddress.Of(level, index));
            if ((index & 1) == 0)
                break;
            (level, index) = (level + 1, index >> 1);
        }

        Assert.Equal(NodeAddress.Count(records), place);
    }

    /// <summary>A tree in memory, its hashes where the file would have them.</summary>
    private sealed class Tree : INodeSource
    {
        private readonly List<byte[]> _nodes = [];

        public Tree(IReadOnlyList<byte[]> records)
        {
            var completed = new byte[CompactRange.CompletedBytesMax];
            foreach (var record in records)
            {
                Leaves.Add(MerkleHash.Leaf(record));
                var count = Range.Append(Leaves[^1], completed);
                for (var i = 0; i < count; i++)
                    _nodes.Add(completed.AsSpan(i * MerkleHash.Size, MerkleHash.Size).ToArray());
            }
        }

        public CompactRange Range { get; } = new();

        public List<byte[]> Leaves { get; } = [];

        public static Tree OfSeed(int size, int seed)
        {
            var random = new Random(seed);
            return new([.. Enumerable.Range(0, size).Select(i =>
            {
                // No two are alike.
                var record = new byte[1 + random.Next(40)];
                random.NextBytes(record);
                record[0] = (byte)i;
                return record;
            })]);
        }

        public void Read(int level, long index, Span<byte> into) =>
            _nodes[(int)NodeAddress.Of(level, index)].CopyTo(into);
    }
}
