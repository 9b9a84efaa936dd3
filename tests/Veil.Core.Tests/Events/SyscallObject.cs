// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Modules;

namespace Veil.Core.Tests.Events;

/// <summary>The compiled syscall module: real BTF to read layouts from. Opening it needs no privilege.</summary>
internal static class SyscallObject
{
    public static string Root { get; } = FindRoot();

    /// <summary>The events of the object: 0 as calls begin, 1 as they end.</summary>
    public static EventCatalog Events(int number)
    {
        using var bpf = Open();
        var catalog = new EventCatalog();
        catalog.Add(bpf.Btf, new Module(), 0, number);
        return catalog;
    }

    public static BpfObject Open() => BpfObject.Open(File.ReadAllBytes(Path.Combine(Root, "artifacts/bpf/syscall.bpf.o")), "syscall");

    /// <summary>This project does not know the modules; a schema and a report ask for names only.</summary>
    internal sealed class Module(EventFilter? filter = null) : TraceModule
    {
        public override string Name => "syscall";

        public override string Summary => "";

        public override string CountKey => "syscall";

        public override IReadOnlyList<Example> Examples => [];

        public override IReadOnlyList<HookRung> Rungs => [];

        public override EventFilter? CreateFilter(EventSchema schema) => filter;

        public override byte[] ReadObject() => throw new NotSupportedException();
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Veil.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException("the tests do not run inside a checkout");
    }
}
