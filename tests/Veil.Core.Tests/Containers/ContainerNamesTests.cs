// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text;
using Veil.Core.Cgroups;
using Veil.Core.Containers;
using Veil.Core.Interop;

namespace Veil.Core.Tests.Containers;

/// <summary>Files of runtimes below a folder of the test's own.</summary>
public sealed class ContainerNamesTests : IDisposable
{
    private const string Id = "3f2a9c0d1e4b5a697887766554433221100ffeeddccbbaa99887766554433221";
    private const string Other = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    private const string Uid = "0c1d2e3f-1111-4222-8333-444455556666";
    private const string InDocker = $"/docker/{Id}";
    private const string DockerFile = $"var/lib/docker/containers/{Id}/config.v2.json";
    private const string Storage = "var/lib/containers/storage/overlay-containers";

    private readonly string _root = Directory.CreateTempSubdirectory("veil-containers-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Find_Docker_HasNameAndImage()
    {
        Write(DockerFile, Docker("/web", "nginx:1.25"));
        Find(InDocker + "/init").ShouldBe(new Container(Id, "docker", "web", "nginx:1.25", null, null, null, InDocker));
    }

    [Fact]
    public void Find_DockerWithDataElsewhere_IsFoundThere()
    {
        Write("etc/docker/daemon.json", """{"data-root": "/srv/docker"}""");
        Write($"srv/docker/containers/{Id}/config.v2.json", Docker("/web", "nginx"));
        Find(InDocker)!.Name.ShouldBe("web");
    }

    [Fact]
    public void Find_DockerOfAPod_HasThePodOfItsLabels()
    {
        Write(DockerFile, Docker("/k8s_app", "app:1", """
            "io.kubernetes.container.name":"app","io.kubernetes.pod.name":"shop-0","io.kubernetes.pod.namespace":"prod"
            """));
        string path = $"/kubepods/burstable/pod{Uid}/{Id}";
        Find(path).ShouldBe(new Container(Id, "docker", "app", "app:1", "shop-0", "prod", Uid, path));
        // Anybody may label a container so: outside of a pod's group it means nothing.
        Find(InDocker)!.Pod.ShouldBeNull();
    }

    [Fact]
    public void Find_Podman_HasNameAndImage()
    {
        Write($"{Storage}/containers.json", Stored("web", "docker.io/library/nginx:latest"));
        Write($"{Storage}/{Id}/userdata/config.json", """{"annotations":{"io.container.manager":"libpod"}}""");
        string path = $"/machine.slice/libpod-{Id}.scope";
        Find(path + "/container").ShouldBe(new Container(Id, "podman", "web", "docker.io/library/nginx:latest", null, null, null, path));
    }

    [Theory]
    [InlineData($"/machine.slice/machine-libpod_pod_{Other}.slice/libpod-{Id}.scope")]
    [InlineData($"/libpod_parent/{Other}/libpod-{Id}")]
    public void Find_PodmanInAPod_HasThePodOfItsDatabase(string path)
    {
        Write($"{Storage}/containers.json", Stored("cart", "shop:1"));
        Write($"{Storage}/{Id}/userdata/config.json", """{"annotations":{"io.kubernetes.pod.name":"lie"}}""");
        Write("var/lib/containers/storage/libpod/bolt_state.db", $"\0config{{\"id\":\"{Other}\",\"name\":\"shop\"}}\0");
        Find(path).ShouldBe(new Container(Id, "podman", "cart", "shop:1", "shop", null, null, path));
        // The pod's own group is none.
        Find($"/libpod_parent/{Other}").ShouldBeNull();
    }

    [Fact]
    public void Find_PodmanVolatile_IsFound()
    {
        Write($"{Storage}/volatile-containers.json", Stored("once", "alpine"));
        Find($"/libpod_parent/libpod-{Id}")!.Name.ShouldBe("once");
    }

    [Fact]
    public void Find_Containerd_HasPodOfItsBundle()
    {
        Write($"run/containerd/io.containerd.runtime.v2.task/k8s.io/{Id}/config.json", """
            {"annotations":{"io.kubernetes.cri.container-name":"app","io.kubernetes.cri.image-name":"app:2","io.kubernetes.cri.sandbox-name":
            "shop-0","io.kubernetes.cri.sandbox-namespace":"prod","io.kubernetes.cri.sandbox-uid":"u","io.kubernetes.cri.container-type":"container"}}
            """);
        string path = $"/kubepods/burstable/pod{Uid}/{Id}";
        Find(path).ShouldBe(new Container(Id, "containerd", "app", "app:2", "shop-0", "prod", Uid, path));
        Find($"/k8s.io/{Id}")!.PodUid.ShouldBe("u");
    }

    [Fact]
    public void Find_Sandbox_IsNamedPod()
    {
        Write($"run/containerd/io.containerd.runtime.v2.task/k8s.io/{Id}/config.json",
            """{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-name":"shop-0"}}""");
        var found = Find($"/k8s.io/{Id}").ShouldNotBeNull();
        (found.Name, found.Pod).ShouldBe(("POD", "shop-0"));
    }

    [Fact]
    public void Find_Crio_HasPodOfItsAnnotations()
    {
        Write($"{Storage}/containers.json", Stored("k8s_app_shop-0_prod", "x"));
        Write($"{Storage}/{Id}/userdata/config.json", """
            {"annotations":{"io.container.manager":"cri-o","io.kubernetes.container.name":"app","io.kubernetes.pod.name":"shop-0",
            "io.kubernetes.pod.namespace":"prod","io.kubernetes.cri-o.ImageName":"app:3","io.kubernetes.cri-o.ContainerType":"container"}}
            """);
        string path = $"/kubepods/burstable/pod{Uid}/{Id}";
        Find(path).ShouldBe(new Container(Id, "crio", "app", "app:3", "shop-0", "prod", Uid, path));
    }

    [Fact]
    public void Find_OnlyKubeletsLogs_HasNames()
    {
        Write($"var/log/pods/prod_shop-0_{Uid}/app/0.log", "");
        Write($"var/log/containers/shop-0_prod_app-{Id}.log", "");
        string path = $"/kubepods.slice/kubepods-pod{Uid.Replace('-', '_')}.slice/cri-containerd-{Id}.scope";
        Find(path).ShouldBe(new Container(Id, "containerd", "app", null, "shop-0", "prod", Uid, path));
    }

    [Fact]
    public void Find_StateOfRunc_IsAContainerByItsGroup()
    {
        Write("run/runc/job/state.json", """{"id":"job","cgroup_paths":{"":"/sys/fs/cgroup/unified/any/job"}}""");
        Find("/any/job/below").ShouldBe(new Container("job", "runc", "job", null, null, null, null, "/any/job"));
        Write("run/runc/old/state.json", """{"id":"old","cgroup_paths":{"pids":"/sys/fs/cgroup/pids/old"}}""");
        Find("/old")!.Id.ShouldBe("old");
        // Groups are called as their bundle says.
        Write("run/runc/shop-1/state.json", """{"id":"shop-1","cgroup_paths":{"":"/sys/fs/cgroup/shop/one","pids":"/sys/fs/cgroup/pids/shop/one"}}""");
        Find("/shop/one")!.Id.ShouldBe("shop-1");
        // The name alone is not enough.
        Find("/else/job").ShouldBeNull();
        Find("/job").ShouldBeNull();
    }

    [Fact]
    public void Find_StatusOfCrun_IsAContainerByItsGroup()
    {
        Write("run/crun/job/status", """{"pid":1,"cgroup-path":"/job"}""");
        Find("/job").ShouldBe(new Container("job", "crun", "job", null, null, null, null, "/job"));
        Find("/x/job").ShouldBeNull();
    }

    [Fact]
    public void Find_UnknownId_IsUnknown() => Find($"/ecs/x/{Id}").ShouldBe(new Container(Id, "unknown", null, null, null, null, null, $"/ecs/x/{Id}"));

    [Theory]
    [InlineData("/user.slice/user-1000.slice/user@1000.service/user.slice/", "mine")]
    [InlineData("/user.slice/user-1001.slice/user@1001.service/user.slice/", null)]
    [InlineData("/user.slice/user-0.slice/session-1.scope/", "system's")]
    [InlineData("/machine.slice/", "system's")]
    public void Find_RootlessPodman_IsNamedByTheUsersOwnFilesAlone(string above, string? name)
    {
        Write($"{Storage}/containers.json", Stored("system's", "x"));
        Write("home/u1000/.local/share/containers/storage/overlay-containers/containers.json", Stored("mine", "x"));
        var found = Find($"{above}libpod-{Id}.scope").ShouldNotBeNull();
        (found.Runtime, found.Name).ShouldBe(("podman", name));
    }

    [Fact]
    public void Find_RootlessDocker_IsNamed()
    {
        Write($"home/u1000/.local/share/docker/containers/{Id}/config.v2.json", Docker("/mine", "x"));
        Find($"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{Id}.scope")!.Name.ShouldBe("mine");
        Find($"/system.slice/docker-{Id}.scope")!.Name.ShouldBeNull();
    }

    [Fact]
    public void Find_ContainerInAContainer_IsNotNamedByFilesOutside()
    {
        Write(DockerFile, Docker("/web", "nginx"));
        var found = Find($"/docker/{Other}/docker/{Id}").ShouldNotBeNull();
        (found.Id, found.Name).ShouldBe((Id, null));
    }

    public static TheoryData<string> Broken => new()
    {
        "", "{", "[]", "null", "1", "\"x\"", """{"ID":1}""", """{"ID":"x","Name":"/web"}""", "\u0000", new string('[', 100_000),
        Docker("/web", "nginx")[..80], $$"""{"ID":"{{Id}}","Name":["web"],"Config":[]}""",
        $$"""{"ID":"{{Id}}","Name":"\ud800","Config":{"Labels":1,"Image":{} } }""",
        $$"""{"ID":"{{Id}}","Name":"{{new string('x', 1025)}}"}""",
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void Find_FileThatIsNone_StaysUnknown(string content)
    {
        Write(DockerFile, content);
        Write($"{Storage}/containers.json", content);
        Write($"{Storage}/{Id}/userdata/config.json", content);
        Write($"run/containerd/io.containerd.runtime.v2.task/k8s.io/{Id}/config.json", content);
        Write("etc/docker/daemon.json", content);
        foreach (string path in new[] { InDocker, $"/kubepods/pod{Uid}/{Id}", $"/machine.slice/libpod-{Id}.scope" })
        {
            var found = Find(path).ShouldNotBeNull();
            (found.Name, found.Image, found.Pod).ShouldBe((null, null, null));
        }
    }

    [Fact]
    public void Find_BytesThatAreNotUtf8_StayUnknown()
    {
        Write(DockerFile, "");
        File.WriteAllBytes(Path.Combine(_root, DockerFile), [.. Encoding.UTF8.GetBytes($$"""{"ID":"{{Id}}","Name":"/"""), 0xff, .. "\"}"u8]);
        Find(InDocker)!.Name.ShouldBeNull();
    }

    [Theory]
    [InlineData(1024 * 1024, "web")]
    [InlineData((1024 * 1024) + 1, null)]
    public void Find_HugeFile_IsNotRead(int size, string? name)
    {
        Write(DockerFile, Docker("/web", "nginx").PadRight(size));
        Find(InDocker)!.Name.ShouldBe(name);
    }

    [Fact]
    public void Find_LinkedFile_IsNotFollowed()
    {
        Write("elsewhere.json", Docker("/web", "nginx"));
        string file = Path.Combine(_root, DockerFile);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.CreateSymbolicLink(file, Path.Combine(_root, "elsewhere.json"));
        Find(InDocker)!.Name.ShouldBeNull();
    }

    [Fact]
    public void Find_LinkedFolder_IsNotFollowed()
    {
        Write($"elsewhere/{Id}/config.v2.json", Docker("/web", "nginx"));
        Directory.CreateDirectory(Path.Combine(_root, "var/lib/docker"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "var/lib/docker/containers"), "../../../elsewhere");
        Find(InDocker)!.Name.ShouldBeNull();
    }

    [Fact]
    public void Find_HomeThatIsALink_IsNotFollowed()
    {
        Write("srv/.local/share/containers/storage/overlay-containers/containers.json", Stored("mine", "x"));
        Directory.CreateDirectory(Path.Combine(_root, "home"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "home/u1000"), "../srv");
        Find($"/user.slice/user-1000.slice/libpod-{Id}.scope")!.Name.ShouldBeNull();
    }

    [Theory]
    [InlineData("a/b/file", true)]
    [InlineData("a/link", false)]
    [InlineData("folder/file", false)]
    [InlineData("a/../a/b/file", false)]
    [InlineData("a/b/nosuch/file", false)]
    [InlineData("", false)]
    public void WalkBelow_APath_FollowsNoLink(string path, bool opens)
    {
        Write("a/b/file", "");
        File.CreateSymbolicLink(Path.Combine(_root, "a/link"), "b/file");
        Directory.CreateSymbolicLink(Path.Combine(_root, "folder"), "a/b");
        int root = LibC.OpenPath(LibC.AtFdCwd, _root, follow: true);
        int fd = LibC.WalkBelow(root, path, 0, sameMount: true);
        _ = LibC.Close(fd);
        _ = LibC.Close(root);
        (fd >= 0).ShouldBe(opens);
    }

    [Fact]
    public void Find_FolderAndFifoForAFile_AreNotWaitedFor()
    {
        Directory.CreateDirectory(Path.Combine(_root, DockerFile));
        string fifo = Path.Combine(_root, $"{Storage}/containers.json");
        Directory.CreateDirectory(Path.GetDirectoryName(fifo)!);
        using (var made = Process.Start("mkfifo", fifo))
            made.WaitForExit();
        Find(InDocker)!.Name.ShouldBeNull();
        Find($"/machine.slice/libpod-{Id}.scope")!.Name.ShouldBeNull();
    }

    [Fact]
    public void Find_HostileName_IsGivenAsItIs()
    {
        Write(DockerFile, Docker("/\\u001b[2J\\nx", "a\\u202eb"));
        var found = Find(InDocker).ShouldNotBeNull();
        (found.Name, found.Image).ShouldBe(("\u001b[2J\nx", "a\u202eb"));
    }

    [Fact]
    public void Find_NameThatIsWrittenLater_JoinsAfterForget()
    {
        var names = Names();
        names.Find(InDocker)!.Name.ShouldBeNull();
        Write(DockerFile, Docker("/web", "nginx"));
        names.Forget(InDocker);
        names.Find(InDocker)!.Name.ShouldBe("web");
    }

    [Fact]
    public void Find_ContainerThatEnded_IsRemembered()
    {
        Write(DockerFile, Docker("/web", "nginx"));
        var names = Names();
        names.Find(InDocker)!.Name.ShouldBe("web");
        File.Delete(Path.Combine(_root, DockerFile));
        names.Forget(InDocker);
        names.Find(InDocker).ShouldBe(new Container(Id, "docker", "web", "nginx", null, null, null, InDocker));
    }

    [Fact]
    public void Find_VeryManyLater_IsForgottenAtLast()
    {
        Write(DockerFile, Docker("/web", "nginx"));
        var names = Names();
        names.Find(InDocker)!.Name.ShouldBe("web");
        File.Delete(Path.Combine(_root, DockerFile));
        for (int i = 0; i < 16_383; i++)
            names.Find($"/lxc/{i}").ShouldNotBeNull();
        names.Find(InDocker)!.Name.ShouldBe("web");
        names.Find("/lxc/last").ShouldNotBeNull();
        names.Find(InDocker)!.Name.ShouldBeNull();
    }

    [Fact]
    public void Find_RenamedContainer_HasItsNewNameAfterForget()
    {
        Write(DockerFile, Docker("/web", "nginx"));
        var names = Names();
        names.Find(InDocker)!.Name.ShouldBe("web");
        Write(DockerFile, Docker("/web2", "nginx"));
        names.Find(InDocker)!.Name.ShouldBe("web");
        names.Forget(InDocker);
        names.Find(InDocker)!.Name.ShouldBe("web2");
    }

    [Fact]
    public void Running_TreesOfBothVersions_HasEachOnceWithItsProcesses()
    {
        Write(DockerFile, Docker("/web", "nginx"));
        Write($"unified{InDocker}/cgroup.procs", "");
        Write($"pids{InDocker}/cgroup.procs", "1\n2\n");
        Write($"pids{InDocker}/init/cgroup.procs", "3\n");
        Write("pids/lxc/box/cgroup.procs", "4\n");
        Write("memory/above/lxc/box/cgroup.procs", "4\n");
        Write("pids/system.slice/ssh.service/cgroup.procs", "5\n");
        var names = Names();
        names.Running().Select(container => (container.Name, container.CgroupPath, names.CountProcesses(container)))
            .ShouldBe([("web", InDocker, 3), ("box", "/lxc/box", 1)]);
    }

    [Theory]
    [InlineData("35 24 0:30 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw", "/", "/sys/fs/cgroup", null)]
    [InlineData("36 24 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory", "/", "/sys/fs/cgroup/memory", "rw,memory")]
    [InlineData(@"37 24 0:30 /a\040b /mnt/c\134d rw shared:1 - cgroup2 none rw", "/a b", @"/mnt/c\d", null)]
    public void Of_Mountinfo_IsItsHierarchies(string line, string root, string point, string? controllers) =>
        CgroupMount.Of(line + "\n22 1 8:1 / / rw - ext4 /dev/sda1 rw\n").ShouldBe([new CgroupMount(root, point, controllers)]);

    private static string Docker(string name, string image, string labels = "") =>
        $$"""{"ID":"{{Id}}","Name":"{{name}}","Config":{"Image":"{{image}}","Labels":{ {{labels}} } } }""";

    private static string Stored(string name, string image) => $$"""
        [{"id":"{{Other}}","names":["other"],"metadata":"{}"},
         {"id":"{{Id}}","names":["{{name}}"],"metadata":"{\"image-name\":\"{{image}}\",\"name\":\"{{name}}\"}"}]
        """;

    private Container? Find(string path) => Names().Find(path);

    private ContainerNames Names() => new(
        _root,
        new CgroupFolders(
            [new("/", Path.Combine(_root, "pids"), "rw,pids"), new("/", Path.Combine(_root, "memory"), "rw,memory"),
                new("/", Path.Combine(_root, "unified"), null)]),
        static user => $"/home/u{user}");

    private void Write(string path, string content)
    {
        string full = Path.Combine(_root, path.TrimStart('/'));
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }
}
